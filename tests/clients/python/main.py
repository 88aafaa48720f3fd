"""The official OpenAI SDK for Python against the server that OPENAI_BASE_URL names."""

import sys

import runner

# Importing a module collects its tests.
import chat  # noqa: F401
import chat_tools  # noqa: F401
import documented  # noqa: F401
import errors  # noqa: F401
import headers  # noqa: F401
import models  # noqa: F401
import responses  # noqa: F401
import responses_tools  # noqa: F401
import stored  # noqa: F401

sys.exit(runner.run())
