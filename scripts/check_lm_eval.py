#!/usr/bin/env python3
"""lm-eval scores a model through `tinygpt serve`, and the same model through transformers; both have to say the same.

    python scripts/check_lm_eval.py --tinygpt BINARY --model MODEL.gguf

The tasks are those of scripts/lm_eval_task: continuations to choose from, and whole texts. The model is a GGUF file that
transformers reads; there its weights are dequantized, and all arithmetic is in 32-bit floats. With `--precision exact` the server
rounds only as any order of sums does; with `fast` it also rounds activations, to 8 bits at least. By hand: needs `lm_eval[api]`, torch,
transformers and gguf, no network.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
KEY = "a-key-for-the-tests"
CHOICES, TEXTS = "tinygpt_choices", "tinygpt_texts"
# A log-likelihood nearer to 0 counts as this one where a difference is a share of it.
SHORT = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tinygpt", type=Path, default=Path(".build/release/tinygpt"))
    parser.add_argument("--model", type=Path, required=True)
    # Sums of some ten log-probabilities; 32-bit sums in another order move each by some 1e-5.
    parser.add_argument("--exact-tolerance", type=float, default=2e-3, help="largest difference of log-likelihoods, exact")
    # Rounded activations move every token's, so that a longer text moves more.
    parser.add_argument("--fast-tolerance", type=float, default=0.02, help="the same, fast, as a share; see SHORT")
    parser.add_argument("--threads", type=int, help="of both; as many as there are cores if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Before lm_eval and datasets are loaded: nothing is fetched, and nothing is left behind.
        os.environ.update(HF_HOME=folder, HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", OPENAI_API_KEY=KEY)
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        passed = compare(options, Path(folder))
    sys.exit(0 if passed else 1)


def compare(options, folder: Path) -> bool:
    import torch
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from server_under_test import Server

    if options.threads:
        torch.set_num_threads(options.threads)
    threads = ["--threads", options.threads] if options.threads else []
    place = {"pretrained_model_name_or_path": options.model.parent, "gguf_file": options.model.name}
    tokenizer = AutoTokenizer.from_pretrained(**place)
    tokenizer.save_pretrained(folder / "tokenizer")
    model = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32).eval()
    tasks = write_tasks(folder)
    expected = evaluate(HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1), tasks, [CHOICES, TEXTS])
    show("transformers", expected)
    passed = True
    allowed = {"exact": lambda value: options.exact_tolerance,
               "fast": lambda value: options.fast_tolerance * max(SHORT, abs(value))}
    for precision in allowed:
        with Server(options.tinygpt, options.model, KEY, ["--precision", precision, *threads]) as server:
            name = server.json("/v1/models")["data"][0]["id"]
            # Whole texts are scored behind a special token, which the server reads in ids only: in a prompt's text it is
            # somebody's words.
            for tokenized, names in [(True, [CHOICES, TEXTS]), (False, [CHOICES])]:
                arguments = {
                    "model": name, "base_url": server.url + "/v1/completions", "tokenizer_backend": "huggingface",
                    "tokenizer": str(folder / "tokenizer"), "tokenized_requests": tokenized, "num_concurrent": 4,
                    "max_retries": 1, "max_length": 2048,
                }
                found = evaluate("local-completions", tasks, names, arguments)
                show(f"{precision}, {'tokens' if tokenized else 'texts'}", found)
                passed &= judge(found, expected, allowed[precision], with_scores=precision == "exact")
    return passed


def write_tasks(folder: Path) -> Path:
    """The tasks, each with the place of its data."""
    place = folder / "tasks"
    place.mkdir()
    for task in sorted((HERE / "lm_eval_task").glob("*.yaml")):
        data = (HERE / "lm_eval_task" / (task.stem + ".jsonl")).resolve()
        text = task.read_text() + f"dataset_kwargs:\n  data_files:\n    test: {data}\n"
        (place / task.name).write_text(text)
    return place


def evaluate(model, tasks: Path, names: list, arguments=None) -> dict:
    """Scores, and each task's log-likelihoods of all requests in the order of its documents."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(tasks), include_defaults=False)
    results = lm_eval.simple_evaluate(
        model=model, model_args=arguments, tasks=names, task_manager=manager, log_samples=True, bootstrap_iters=0)
    scores = {
        f"{name} {metric.split(',')[0]}": value
        for name in names for metric, value in results["results"][name].items()
        if isinstance(value, float) and "stderr" not in metric
    }
    likelihoods = {
        name: [likelihood(r) for sample in sorted(results["samples"][name], key=lambda s: s["doc_id"]) for r in sample["resps"]]
        for name in names
    }
    return {"scores": scores, "likelihoods": likelihoods}


def likelihood(response) -> float:
    """What one request was answered: (log-likelihood, whether it is the greedy text), or the log-likelihood alone."""
    while isinstance(response, (list, tuple)):
        response = response[0]
    return float(response)


def show(name: str, result: dict) -> None:
    scores = "  ".join(f"{key} {value:.5f}" for key, value in result["scores"].items())
    print(f"{name:15} {scores}", flush=True)


def judge(found: dict, expected: dict, allowed, with_scores: bool) -> bool:
    """Whether no log-likelihood is further off than it may be and, of exact arithmetic, no share of right answers at all."""
    passed = True
    for name, values in found["likelihoods"].items():
        others = expected["likelihoods"][name]
        assert len(values) == len(others) > 0
        differences = [abs(a - b) for a, b in zip(values, others)]
        worst = max(range(len(others)), key=lambda i: differences[i] / allowed(others[i]))
        holds = differences[worst] <= allowed(others[worst])
        passed &= holds
        print(f"    {name}: {len(others)} log-likelihoods, largest difference {max(differences):.6f}, "
              f"mean {sum(differences) / len(differences):.6f}; nearest to what is allowed {differences[worst]:.6f} of "
              f"{allowed(others[worst]):.6f} at {others[worst]:.4f}{'' if holds else ': TOO MUCH'}", flush=True)
    for score, value in found["scores"].items():
        if with_scores and score.startswith(CHOICES) and value != expected["scores"][score]:
            print(f"    {score} is {value}, and not {expected['scores'][score]}")
            passed = False
    return passed


if __name__ == "__main__":
    main()
