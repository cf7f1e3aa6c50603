// The rows of bench/expr_rbx.c by @bufbuild/cel: "name nanoseconds", the best of several rounds.
import { celEnv, parse, plan } from "@bufbuild/cel";

const rows = [
	["path_compare", "self.db.status == 'available'", 1000, false],
	["exists_20", "self.items.exists(i, i == 20)", 100, false],
	["map_filter_20", "self.items.filter(i, i > 10).map(i, i * 2)", 50, false],
	["text_join", "self.db.status + '-' + self.db.zone", 1000, false],
	["compile", "self.db.status == 'available'", 50, true],
];
const env = celEnv();
const self = {
	db: { id: "db1", zone: "us-west-1a", status: "available" },
	items: Array.from({ length: 20 }, (_, i) => BigInt(i + 1)),
};
for (const [name, text, times, compiles] of rows) {
	let best = Infinity;
	for (let round = 0; round < 60; round++) {
		let program = plan(env, parse(text));
		const start = process.hrtime.bigint();
		for (let i = 0; i < times; i++)
			if (compiles) program = plan(env, parse(text));
			else program({ self });
		best = Math.min(best, Number(process.hrtime.bigint() - start) / times);
	}
	console.log(name, Math.round(best));
}
