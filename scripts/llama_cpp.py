"""llama.cpp as a library, for the scripts that hold our numbers against its: logits of token ids, and its tokenizer.

The library is a libllama.so (Benchmarks/build_llama_cpp builds from the same sources), the declarations are those of the
package llama-cpp-python, of whose code nothing else is loaded.
"""

import ctypes
import importlib
import sys
import types
from pathlib import Path


def add_arguments(parser) -> None:
    parser.add_argument("--llama-cpp", type=Path, required=True, metavar="LIBRARY", help="a libllama.so")
    parser.add_argument("--package", type=Path, required=True, metavar="DIR", help="the sources of llama-cpp-python")
    parser.add_argument("--threads", type=int, default=2)


class LlamaCpp:
    """One model, with room for a text of `context` tokens."""

    def __init__(self, options, path: Path, context: int):
        self.api = declarations(options.package, options.llama_cpp)
        parameters = self.api.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = self.api.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.model:
            sys.exit(f"{path}: llama.cpp does not load it")
        settings = self.api.llama_context_default_params()
        settings.n_ctx = settings.n_batch = context
        settings.n_threads = settings.n_threads_batch = options.threads
        self.context = self.api.llama_init_from_model(self.model, settings)
        self.vocabulary = self.api.llama_model_get_vocab(self.model)
        self.width = self.api.llama_vocab_n_tokens(self.vocabulary)

    def tokens(self, text: str) -> list:
        """With what it puts in front of a text; special tokens are not parsed."""
        data = text.encode()
        room = (ctypes.c_int32 * (len(data) + 16))()
        count = self.api.llama_tokenize(self.vocabulary, data, len(data), room, len(room), True, False)
        return list(room[:count])

    def read(self, tokens: list, first: int = 0, all_logits: bool = False) -> None:
        """Reads tokens behind the first ones, which the cache holds already."""
        memory = self.api.llama_get_memory(self.context)
        self.api.llama_memory_seq_rm(memory, -1, first, -1)
        count = len(tokens) - first
        batch = self.api.llama_batch_init(count, 0, 1)
        batch.n_tokens = count
        for i in range(count):
            batch.token[i], batch.pos[i] = tokens[first + i], first + i
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            batch.logits[i] = all_logits or i == count - 1
        status = self.api.llama_decode(self.context, batch)
        self.api.llama_batch_free(batch)
        if status:
            sys.exit(f"llama.cpp cannot read {count} tokens behind {first}: status {status}")

    def logits(self, row: int = -1):
        return self.api.llama_get_logits_ith(self.context, row)

    def is_end(self, token: int) -> bool:
        return self.api.llama_vocab_is_eog(self.vocabulary, token)


def declarations(package: Path, library: Path):
    name = "llama_cpp.llama_cpp"
    if name not in sys.modules:
        import os

        os.environ["LLAMA_CPP_LIB_PATH"] = str(library.resolve().parent)
        # Only the declarations: the package's own __init__ asks for other packages.
        holder = types.ModuleType("llama_cpp")
        holder.__path__ = [str(package / "llama_cpp")]
        sys.modules["llama_cpp"] = holder
        api = importlib.import_module(name)
        api.silent = api.llama_log_callback(lambda level, text, data: None)
        api.llama_log_set(api.silent, None)
        api.llama_backend_init()
    return sys.modules[name]
