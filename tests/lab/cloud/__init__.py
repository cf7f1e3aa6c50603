"""The AWS services of the lab, as far as runbooks use them: what they keep, how it changes with time, and how they refuse."""
