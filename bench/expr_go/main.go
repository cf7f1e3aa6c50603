// The rows of bench/expr_rbx.c by cel-go: "name nanoseconds", the best of several rounds.
package main

import (
	"fmt"
	"time"

	"cel.dev/cel-go/cel"
)

var rows = []struct {
	name, text string
	times      int
	compiles   bool
}{
	{"path_compare", "self.db.status == 'available'", 5000, false},
	{"exists_20", "self.items.exists(i, i == 20)", 500, false},
	{"map_filter_20", "self.items.filter(i, i > 10).map(i, i * 2)", 250, false},
	{"text_join", "self.db.status + '-' + self.db.zone", 5000, false},
	{"compile", "self.db.status == 'available'", 40, true},
}

func compile(env *cel.Env, text string) cel.Program {
	ast, issues := env.Compile(text)
	if issues != nil && issues.Err() != nil {
		panic(issues.Err())
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		panic(err)
	}
	return program
}

func main() {
	env, err := cel.NewEnv(cel.Variable("self", cel.DynType))
	if err != nil {
		panic(err)
	}
	items := make([]int64, 20)
	for i := range items {
		items[i] = int64(i + 1)
	}
	vars := map[string]any{"self": map[string]any{
		"db":    map[string]any{"id": "db1", "zone": "us-west-1a", "status": "available"},
		"items": items,
	}}
	for _, row := range rows {
		best := time.Duration(1 << 62)
		for round := 0; round < 100; round++ {
			program := compile(env, row.text)
			start := time.Now()
			for i := 0; i < row.times; i++ {
				if row.compiles {
					program = compile(env, row.text)
				} else if _, _, err := program.Eval(vars); err != nil {
					panic(err)
				}
			}
			if took := time.Since(start) / time.Duration(row.times); took < best {
				best = took
			}
		}
		fmt.Println(row.name, best.Nanoseconds())
	}
}
