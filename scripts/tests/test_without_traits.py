"""Tests of the command as it is built without traits, on the program that the environment variable TINYGPT_BINARY names.

    TINYGPT_BINARY=.build/release/tinygpt python3 -m unittest discover scripts/tests
"""

import os
import subprocess
import unittest


@unittest.skipUnless("TINYGPT_BINARY" in os.environ, "TINYGPT_BINARY names no program")
class WithoutTraits(unittest.TestCase):
    def test_search_says_how_to_build_it(self):
        for arguments in (["search", "--index", "/tmp", "query"], ["embed", "--index", "/tmp"]):
            result = subprocess.run([os.environ["TINYGPT_BINARY"], *arguments], capture_output=True, text=True)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn("swift build -c release --product tinygpt --traits Retrieval", result.stderr)
            self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    unittest.main()
