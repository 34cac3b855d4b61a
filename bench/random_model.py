"""A tiny language model of random weights behind a real server: `python bench/random_model.py FOLDER [--ask TEXT]`.

What it says is printable nonsense: how an agent bears a useless model is tried without any model's hub. FOLDER gets a
virtual environment of its own (llama-cpp-python with its OpenAI-compatible server, and gguf; building takes a compiler and
some minutes), the model file and the server's logs. From Python:

    with RandomModel(folder, seed=1) as model:
        ask(model.base_url, model.model)

Without --ask or --serve it prints the seconds that prompts of several lengths take, with 200 tokens of answer each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import socket
import string
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Self

LAYERS, WIDTH, HEADS, INNER = 2, 64, 2, 128
MERGES = 2000  # the more, the fewer tokens a prompt has: 2,000 give 3.5 bytes of English a token
CONTEXT = 65536  # tokens
ANCHOR = 8.0  # what the first dimension of every token holds, so that the last layer can prefer some tokens
SPREAD = 1.6  # standard deviation of the logits: with the usual 40 best tokens, text that varies
SHARP = 2.0  # scale of queries and keys: unscaled, attention averages a prompt away and the answer is always alike
END_LOGIT = 3.4  # of the end and of closing signs: among the 40 best, so that an answer ends of itself
SPECIAL = BEGIN, END, TURN = "<|begin|>", "<|im_end|>", "<|im_start|>"  # the first tokens, in this order
CLOSING = ('"', "}", "]", '"}', '"]')  # what ends a JSON text that a grammar holds the model to
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}"
    "{% elif message.content %}{% for part in message.content %}{{ part.text }}{% endfor %}{% endif %}"
    "{% for call in message.tool_calls or [] %}\n{{ call.function.name }} {{ call.function.arguments }}{% endfor %}"
    "{% if loop.first and tools %}\n{{ tools | tojson }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PACKAGES = ("llama-cpp-python[server]", "gguf")
BUILD = "-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF"  # for any processor of its kind, without pictures; a quarter of an hour
# runs the server, and ends it once the process that started it is gone, killed or not
LAUNCH = """
import os, runpy, threading, time
parent = os.getppid()
def watch():
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
runpy.run_module("llama_cpp.server", run_name="__main__", alter_sys=True)
"""
WAIT = 120.0  # seconds until the server answers
TOOL = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Searches records for words.",
        "parameters": {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]},
    },
}


class RandomModel:
    """The server with its model, up between `with` and its end: `base_url` and `model` are what a client is given.

    With `tool_calls` the server's own format "chatml-function-calling" is used, whose grammars make the nonsense a call of
    a tool; else the template of the model file, under which a model would have to write the call itself.
    """

    def __init__(
        self, folder: Path, seed: int = 1, context: int = CONTEXT, threads: int = 1, tool_calls: bool = False
    ) -> None:
        self.folder, self.seed, self.context, self.threads = Path(folder).resolve(), seed, context, threads
        self.tool_calls = tool_calls
        self.model = f"random-{seed}"
        self.base_url = ""

    def __enter__(self) -> Self:
        python = prepare(self.folder)
        file = self.folder / f"{self.model}.gguf"
        if not file.exists():
            subprocess.run(
                [python, __file__, str(self.folder), "--make", str(file), "--seed", str(self.seed)], check=True
            )
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}/v1"
        options = {
            "model": file,
            "model_alias": self.model,
            "host": "127.0.0.1",
            "port": port,
            "n_ctx": self.context,
            "n_threads": self.threads,
            "n_threads_batch": self.threads,
            "logits_all": "false",  # its default keeps the logits of every token of the context: gigabytes
            "flash_attn": "true",
            "seed": self.seed,
            "verbose": "false",
            "interrupt_requests": "false",
        }
        if self.tool_calls:
            options["chat_format"] = "chatml-function-calling"
        command = [python, "-c", LAUNCH, *(str(o) for k, v in options.items() for o in (f"--{k}", v))]
        self.log = self.folder / f"server-{port}.log"
        # the server reads its settings from variables too (HOST, PORT, MODEL, …): it gets none of ours
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:  # an answer that is still being made
            self.process.kill()
            self.process.wait()

    def _wait(self) -> None:
        """Return once the server answers; RuntimeError with the end of its log where it does not."""
        started = time.monotonic()
        while self.process.poll() is None and time.monotonic() - started < WAIT:
            try:
                with urllib.request.urlopen(f"{self.base_url}/models", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the server does not answer: {self.log.read_text(errors='replace')[-2000:]}")


def prepare(folder: Path) -> str:
    """The interpreter of the folder's own environment, made where it is not there yet."""
    place = folder / "venv"
    python, ready = str(place / "bin" / "python"), place / "ready"
    if not ready.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        jobs = str(os.cpu_count() or 1)
        environment = {"CMAKE_ARGS": BUILD, "CMAKE_BUILD_PARALLEL_LEVEL": jobs, **os.environ}
        subprocess.run(
            [python, "-m", "pip", "-q", "install", "--prefer-binary", *PACKAGES], check=True, env=environment
        )
        ready.touch()
    return python


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def byte_letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary (GPT-2: bytes_to_unicode)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(others)) for byte in range(256)]


def corpus() -> str:
    """The language reference that every Python has: prose and code, so that merges need no file of ours."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def learn_merges(text: str, count: int) -> list[tuple[str, str]]:
    """Byte-pair merges of a text, the most frequent first, equal ones by their letters."""
    letters = byte_letters()
    found = Counter(re.findall(r" ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+", text))
    words = [[letters[byte] for byte in word.encode()] for word in found]
    times = list(found.values())
    pairs: Counter[tuple[str, str]] = Counter()
    where: defaultdict[tuple[str, str], set[int]] = defaultdict(set)

    def note(number: int, sign: int) -> None:
        for pair in zip(words[number], words[number][1:], strict=False):
            pairs[pair] += sign * times[number]
            where[pair].add(number)

    for number in range(len(words)):
        note(number, 1)
    merges = []
    for _ in range(count):
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for number in sorted(where[best]):
            note(number, -1)
            word, joined = words[number], []
            while word:
                size = 2 if tuple(word[:2]) == best else 1
                joined.append("".join(word[:size]))
                word = word[size:]
            words[number] = joined
            note(number, 1)
        del pairs[best]
    return merges


def make_model(file: Path, seed: int) -> None:
    """Write a model of the llama architecture with random weights; the same seed and Python give the same file."""
    import gguf
    import numpy

    letters = byte_letters()
    merges = learn_merges(corpus(), MERGES)
    plain = [*letters, *dict.fromkeys("".join(pair) for pair in merges)]
    tokens = [*SPECIAL, *plain]
    draw = numpy.random.default_rng(seed)

    def weights(rows: int, columns: int, scale: float = 1.0) -> Any:
        return draw.normal(0, scale / columns**0.5, (rows, columns)).astype(numpy.float32)

    writer = gguf.GGUFWriter(str(file.with_suffix(".part")), "llama")
    writer.add_name(file.stem)
    writer.add_context_length(1 << 20)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_token_types([control] * len(SPECIAL) + [normal] * len(plain))
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(tokens.index(BEGIN))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)

    embedding = weights(len(tokens), WIDTH, WIDTH**0.5)
    embedding[:, 0] = ANCHOR
    writer.add_tensor("token_embd.weight", embedding)
    ones = numpy.ones(WIDTH, numpy.float32)
    for layer in range(LAYERS):
        shapes = {
            "attn_q": (WIDTH, WIDTH),
            "attn_k": (WIDTH // HEADS, WIDTH),
            "attn_v": (WIDTH // HEADS, WIDTH),
            "attn_output": (WIDTH, WIDTH),
            "ffn_gate": (INNER, WIDTH),
            "ffn_up": (INNER, WIDTH),
            "ffn_down": (WIDTH, INNER),
        }
        for name, (rows, columns) in shapes.items():
            tensor = weights(rows, columns, SHARP if name in ("attn_q", "attn_k") else 1.0)
            if name in ("attn_output", "ffn_down"):
                tensor[0] = 0  # nothing is added to the anchor
            writer.add_tensor(f"blk.{layer}.{name}.weight", tensor)
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", ones)
        writer.add_tensor(f"blk.{layer}.ffn_norm.weight", ones)
    writer.add_tensor("output_norm.weight", ones)
    output = weights(len(tokens), WIDTH, SPREAD)
    anchored = ANCHOR / 2  # about what the last norm leaves of it
    shown = {letters[ord(character)] for character in string.printable if character not in "\t\r\x0b\x0c"}
    for number, token in enumerate(tokens):
        if token == END or token in CLOSING:
            output[number] = 0
            output[number, 0] = END_LOGIT / anchored
        else:
            output[number, 0] = 0 if token not in SPECIAL and shown.issuperset(token) else -40 / anchored
    writer.add_tensor("output.weight", output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    file.with_suffix(".part").rename(file)  # whole or not there


def ask(base_url: str, model: str, text: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to one message."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": False, "max_tokens": 200, **more}
    request = urllib.request.Request(
        f"{base_url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def measure(model: RandomModel) -> None:
    """Print the seconds of prompts of several lengths, each new from its first word."""
    words = corpus().split()
    print("prompt tokens  answer tokens  seconds  of these for the prompt  bytes a token")
    for size in (300, 2_500, 5_000, 10_000):
        start = random.Random(size).randrange(len(words) - size)
        text = " ".join(words[start : start + size])
        figures = []
        for number, answer_tokens in enumerate((1, 200)):
            started = time.perf_counter()
            # without the end, so that every answer has its whole length
            more = {"max_tokens": answer_tokens, "logit_bias": {SPECIAL.index(END): -100}}
            status, body = ask(model.base_url, model.model, f"{number} {text}", **more)
            if status != 200:
                raise SystemExit(f"refused: {status} {body}")
            figures.append((time.perf_counter() - started, body["usage"]))
        usage = figures[1][1]
        print(
            f"{usage['prompt_tokens']:13}  {usage['completion_tokens']:13}  {figures[1][0]:7.2f}  {figures[0][0]:23.2f}  "
            f"{len(text.encode()) / usage['prompt_tokens']:13.2f}"
        )


def main() -> None:
    """Make, serve, ask or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ask", metavar="TEXT", help="print what the model answers, without and with a tool")
    parser.add_argument("--serve", action="store_true", help="serve until interrupted")
    parser.add_argument(
        "--make", metavar="FILE", type=Path, help="only write the model (the server's own interpreter does)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context", type=int, default=CONTEXT)
    parser.add_argument("--tool-calls", action="store_true", help="the format whose grammars make calls of tools")
    options = parser.parse_args()
    if options.make:
        make_model(options.make, options.seed)
        return
    with RandomModel(options.folder, options.seed, options.context, options.threads, options.tool_calls) as model:
        print(f"{model.model} at {model.base_url}", flush=True)
        if options.serve:
            try:
                model.process.wait()
            except KeyboardInterrupt:
                return
        elif options.ask is None:
            measure(model)
        else:
            named = {"type": "function", "function": {"name": "search"}}
            for title, more in (
                ("no tools", {}),
                ("tools", {"tools": [TOOL]}),
                ("tools, auto", {"tools": [TOOL], "tool_choice": "auto"}),
                ("tools, required", {"tools": [TOOL], "tool_choice": "required"}),
                ("tools, the tool named", {"tools": [TOOL], "tool_choice": named}),
            ):
                status, body = ask(model.base_url, model.model, options.ask, **more)
                print(f"--- {title}: {status}\n{json.dumps(body, indent=1, ensure_ascii=False)}")


if __name__ == "__main__":
    main()
