# Judges the starter set with the Python of this machine: problems and wrong solutions as JSON come in, what happened to
# each goes out. The references are ours, so they run here without a sandbox.
import doctest
import json
import sys


def outcome(program):
    try:
        exec(program, {"__name__": "program"})
        return "passed"
    except Exception as error:
        return type(error).__name__


def failed_examples(problem, solution):
    module = {}
    exec(problem["prompt"] + solution, module)
    runner = doctest.DocTestRunner(verbose=False)
    docstring = module[problem["entry_point"]].__doc__
    test = doctest.DocTestParser().get_doctest(docstring, module, problem["task_id"], None, 0)
    runner.run(test, out=lambda text: None)
    return runner.failures if runner.tries else -1


def program(problem, solution):
    return f"{problem['prompt']}{solution}\n{problem['test']}\ncheck({problem['entry_point']})"


def judge(problem, wrong):
    return {
        "id": problem["task_id"],
        "reference": outcome(program(problem, problem["canonical_solution"])),
        "failedExamples": failed_examples(problem, problem["canonical_solution"]),
        "wrong": outcome(program(problem, wrong["solution"])),
        "withoutLine": outcome(program(problem, without_line(problem))),
    }


def without_line(problem):
    line = problem["line"]
    blanks = line[: len(line) - len(line.lstrip())]
    # Not "pass": a loop whose only step is gone would not end.
    return problem["canonical_solution"].replace(f"{line}\n", f"{blanks}raise NotImplementedError\n")


given = json.load(sys.stdin)
json.dump([judge(*pair) for pair in zip(given["problems"], given["wrong"])], sys.stdout)
