# Judges the starter set with the Python of this machine: problems and wrong solutions as JSON come in, what happened to
# each goes out. The references are ours, so they run here without a sandbox.
import doctest
import json
import sys
import time


def outcome(program):
    start = time.perf_counter()
    try:
        exec(program, {"__name__": "program"})
        name = "passed"
    except Exception as error:
        name = type(error).__name__
    return name, (time.perf_counter() - start) * 1000


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
    reference, took = outcome(program(problem, problem["canonical_solution"]))
    return {
        "id": problem["task_id"],
        "reference": reference,
        "tookMs": took,
        "failedExamples": failed_examples(problem, problem["canonical_solution"]),
        "wrong": outcome(program(problem, wrong["solution"]))[0],
        "withoutLine": outcome(program(problem, without_line(problem)))[0],
    }


def without_line(problem):
    line = problem["line"]
    blanks = line[: len(line) - len(line.lstrip())]
    # Not "pass": a loop whose only step is gone would not end.
    return problem["canonical_solution"].replace(f"{line}\n", f"{blanks}raise NotImplementedError\n")


given = json.load(sys.stdin)
json.dump([judge(*pair) for pair in zip(given["problems"], given["wrong"])], sys.stdout)
