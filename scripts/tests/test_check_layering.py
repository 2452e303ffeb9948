"""Tests of scripts/check_layering: that it passes a small clean package, and can fail for each of its reasons.

    python3 -m unittest discover scripts/tests
"""

import subprocess
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "check_layering"

CLEAN = {
    "Package.swift": """// swift-tools-version: 6.2
import PackageDescription
let package = Package(name: "tiny", targets: [
    .target(name: "CTinyKernels", cSettings: [.unsafeFlags(["-O3"])]),
    .target(name: "TinyJSON"),
    .target(name: "TinyTensor", dependencies: ["CTinyKernels"]),
    .target(name: "TinyLoader", dependencies: ["TinyTensor", "TinyJSON"]),
    .testTarget(name: "TinyLoaderTests", dependencies: ["TinyLoader"]),
])
""",
    "Sources/CTinyKernels/a.c": "int a; // of LLaMA\n",
    "Sources/CTinyKernels/include/a.h": "extern int a;\n",
    "Sources/TinyJSON/A.swift": "/// As in Qwen.\nlet parenthesis = \"\\(1) // no comment\"\n",
    "Sources/TinyTensor/A.swift": "package import CTinyKernels\nimport Synchronization\n",
    "Sources/TinyLoader/A.swift": "import TinyJSON\nimport TinyTensor\nlet adoption = clip\n",
    "Tests/TinyLoaderTests/A.swift": "import Foundation\nimport Testing\n@testable import TinyLoader\nlet llama = 1\n",
}


def load():
    """The script as a module; it has no `.py` in its name."""
    loader = SourceFileLoader("check_layering", str(SCRIPT))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class OnAPackage(unittest.TestCase):
    def run_on(self, changes):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**CLEAN, **changes}.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            result = subprocess.run([str(SCRIPT), folder], capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr

    def test_a_clean_package_passes(self):
        status, output = self.run_on({})
        self.assertEqual(status, 0, output)
        self.assertIn("5 targets, 6 files, 7 imports", output)

    def test_each_fault_is_told_with_its_line(self):
        status, output = self.run_on({
            "Package.swift": CLEAN["Package.swift"]
            .replace('name: "TinyJSON"', 'name: "TinyJSON", swiftSettings: [.unsafeFlags(["-Ounchecked"])]')
            .replace('"TinyTensor", dependencies: [', '"TinyTensor", dependencies: ["TinyJSON", ')
            .replace("    .testTarget", '    .target(name: "TinyNovelty"),\n    .testTarget'),
            "Sources/TinyNovelty/A.swift": "",
            "Sources/TinyTensor/A.swift": "/*\n */\npackage import CTinyKernels\n\n@_exported public import TinyLoader\n",
            "Sources/TinyLoader/A.swift": "import struct Foundation.URL\nimport TinyTensor\nimport NIOCore\n",
            "Sources/TinyLoader/B.swift": 'let type = 1\nlet name = "qwen2"\n',
            "Sources/CTinyKernels/a.c": "int llama_count;\n",
            "Tests/TinyLoaderTests/A.swift": "import TinyTensor\n",
        })
        self.assertEqual(status, 1, output)
        for fault in ["Package.swift:1: TinyJSON has the unsafe flags ['-Ounchecked']",
                      "Package.swift:1: TinyTensor may not depend on TinyJSON",
                      "Package.swift:1: TinyNovelty is not in this script's table",
                      "Sources/TinyTensor/A.swift:5: TinyTensor may not import TinyLoader",
                      "Sources/TinyLoader/A.swift:1: TinyLoader may not import Foundation",
                      "Sources/TinyLoader/A.swift:3: TinyLoader may not import NIOCore",
                      'Sources/TinyLoader/B.swift:2: names a family ("qwen")',
                      'Sources/CTinyKernels/a.c:1: names a family ("llama")',
                      "Tests/TinyLoaderTests/A.swift:1: TinyLoaderTests imports TinyTensor, which Package.swift does not"]:
            self.assertIn(fault, output)
        self.assertIn("9 faults", output)

    def test_a_manifest_that_cannot_be_read_fails(self):
        status, output = self.run_on({"Package.swift": "// swift-tools-version: 6.2\nlet package = nonsense\n"})
        self.assertEqual(status, 1, output)
        self.assertIn("Package.swift cannot be read", output)


class Reading(unittest.TestCase):
    script = load()

    def names(self, text):
        return [name for _, name in self.script.family_names(self.script.without_comments(text))]

    def test_names_in_code_and_strings_are_found_and_comments_are_not(self):
        for text in ["let isLLaMA = 1", "func gpt_2()", '"""\n llama\n """', '"\\(f("x")) gemma"', "case bertLike",
                     '#"a "qwen" b"#', '"http://llama"', "let x = 1 /* */ + falcon", '"opt"', "CLIPText", "gptOss2 GPT-2"]:
            self.assertTrue(self.names(text), text)
        for text in ["// LLaMA", "/* GPT-2\n qwen */ let x", "let x = 1 // \"llama\"", '"\\(f("x"))" // gemma',
                     "TinyGPT tinygpt 0.1", "adopt option clip(x) options", "let liberty = dilbert", "#\"\\\"# // opt-in qwen"]:
            self.assertEqual(self.names(text), [], text)

    def test_an_exception_covers_what_it_says_and_must_be_needed(self):
        faults = []
        file = "Sources/TinyModels/ConfigReader+Common.swift"
        self.script.check_families(file, "case \"llama3\": 1", lambda *fault: faults.append(fault))
        self.assertEqual(faults, [])
        self.script.check_families(file, "[]\nGemma", lambda *fault: faults.append(fault))
        self.assertEqual([line for _, line, _ in faults], [2, 1])


if __name__ == "__main__":
    unittest.main()
