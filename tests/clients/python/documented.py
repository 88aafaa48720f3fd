"""What the README shows runs as it stands there, but for the address."""

import os
import re
import subprocess
import sys
from pathlib import Path

from runner import test

README = Path(__file__).resolve().parents[3] / "README.md"
SHOWN = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@test
def the_readme_s_examples_print_what_they_ask_for():
    examples = SHOWN.findall(README.read_text())
    assert examples, "there is none"
    for example in examples:
        address = "http://127.0.0.1:7531/v1"
        assert address in example, example
        program = example.replace(address, os.environ["OPENAI_BASE_URL"])
        # In a process of its own, without the variables that a program could take the address from.
        bare = {name: os.environ[name] for name in os.environ if not name.startswith("OPENAI_")}
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=bare, timeout=20
        )
        assert (run.returncode, run.stdout.strip()) == (0, "hello"), run
