"""Tests of the command as it is built without traits, on the program that the environment variable TINYGPT_PLAIN_BINARY names.

    scripts/check_consumer /tmp/tinygpt
    TINYGPT_PLAIN_BINARY=/tmp/tinygpt python3 -m unittest discover scripts/tests
"""

import os
import subprocess
import unittest


@unittest.skipUnless("TINYGPT_PLAIN_BINARY" in os.environ, "TINYGPT_PLAIN_BINARY names no program")
class WithoutTraits(unittest.TestCase):
    def refused(self, *arguments):
        result = subprocess.run(
            [os.environ["TINYGPT_PLAIN_BINARY"], *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 1, arguments)
        self.assertEqual(result.stdout, "")
        return result.stderr

    def test_search_says_how_to_build_it(self):
        for arguments in (["search", "--index", "/tmp", "query"], ["embed", "--index", "/tmp"]):
            self.assertIn("swift build -c release --product tinygpt --traits Retrieval", self.refused(*arguments))

    def test_serve_says_how_to_build_it(self):
        said = self.refused("serve")
        self.assertIn("swift build -c release --product tinygpt --traits Server", said)
        self.assertIn("scripts/serve", said)


if __name__ == "__main__":
    unittest.main()
