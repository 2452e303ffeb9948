#!/usr/bin/env python3
"""Makes a GGUF file of the LLaMA architecture with random weights: for measuring speed at sizes that cannot be fetched.

    make_random_gguf.py --shape 1b --type Q4_0 [--seed 1] OUTPUT

What it says is noise, but activations stay as small as a real model's. Blocks are filled with random bits as they stand
in the file, and only their scales are chosen, so a gigabyte takes seconds and little memory. The same arguments give
the same bytes. The vocabulary is the 256 bytes and tokens that no text comes to. Needs numpy and gguf
(scripts/requirements-test.txt).
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

from fixtures.random_blocks import SCALES, random_blocks, set_half


@dataclass(frozen=True)
class Shape:
    width: int
    layers: int
    heads: int
    key_value_heads: int
    hidden: int
    vocabulary: int
    tied: bool
    experts: int = 0  # each as wide as `hidden`
    chosen: int = 0


SHAPES = {
    "tiny": Shape(256, 2, 4, 2, 512, 512, True),             # 1.3 M parameters, for tests
    "1b": Shape(2048, 16, 32, 8, 8192, 98304, True),         # 1.17 G: LLaMA 3.2 1B with a smaller vocabulary
    # Eight experts, two chosen: reads as many bytes for a token as "1b".
    "8x-1b": Shape(2048, 16, 32, 8, 4096, 98304, True, experts=8, chosen=2),
    "3b": Shape(3072, 28, 24, 8, 8192, 128256, True),        # 3.2 G: LLaMA 3.2 3B
    "7b": Shape(4096, 32, 32, 32, 11008, 32000, False),      # 6.7 G: LLaMA 2 7B
}
FLOATS = {"F32": Type.F32, "F16": Type.F16, "BF16": Type.BF16}
TYPES = [*(kind for kind in SCALES if kind not in FLOATS), *FLOATS, "Q4_K_M"]
# What readers call a file; only a label. Some types are found in mixtures only, and lend them their name.
FILE_TYPES = {"F32": "ALL_F32", "Q3_K": "MOSTLY_Q3_K_S", "Q4_K": "MOSTLY_Q4_K_S", "Q5_K": "MOSTLY_Q5_K_S",
              "MXFP4": "MOSTLY_MXFP4_MOE"}
CHUNK = 1 << 22  # elements made at a time


# What is in the file


def matrices(shape: Shape) -> dict:
    """(rows, columns) of each tensor, one number for a vector, in the order of the file."""
    head = shape.width // shape.heads
    tensors = {"token_embd.weight": (shape.vocabulary, shape.width)}
    for layer in range(shape.layers):
        block = {
            "attn_norm": (shape.width,), "attn_q": (shape.width, shape.width),
            "attn_k": (shape.key_value_heads * head, shape.width),
            "attn_v": (shape.key_value_heads * head, shape.width),
            "attn_output": (shape.width, shape.width), "ffn_norm": (shape.width,),
        }
        up, down = (shape.hidden, shape.width), (shape.width, shape.hidden)
        if shape.experts:
            up, down = (shape.experts, *up), (shape.experts, *down)
            block |= {"ffn_gate_inp": (shape.experts, shape.width), "ffn_gate_exps": up, "ffn_up_exps": up,
                      "ffn_down_exps": down}
        else:
            block |= {"ffn_gate": up, "ffn_up": up, "ffn_down": down}
        tensors |= {f"blk.{layer}.{name}.weight": size for name, size in block.items()}
    tensors["output_norm.weight"] = (shape.width,)
    if not shape.tied:
        tensors["output.weight"] = (shape.vocabulary, shape.width)
    return tensors


def mixture_type(name: str, shape: Shape) -> Type:
    """What llama.cpp's mixture Q4_K_M gives a matrix: six bits to the head (so the token table, if it is the head too), and
    to the values and the way back from the hidden layer where that helps most: in the first and the last eighth of the
    layers, and in every third between, half of them in all. With eight experts attention is small beside them, and gets
    more."""
    if name == ("token_embd.weight" if shape.tied else "output.weight"):
        return Type.Q6_K
    if shape.experts == 8:
        if name.endswith(("attn_k.weight", "attn_v.weight")):
            return Type.Q8_0
        if name.endswith("attn_output.weight"):
            return Type.Q5_K
    if name.endswith(("attn_v.weight", "ffn_down.weight", "ffn_down_exps.weight")):
        layer, eighth = int(name.split(".")[1]), shape.layers // 8
        if layer < eighth or layer >= 7 * shape.layers // 8 or (layer - eighth) % 3 == 2:
            return Type.Q6_K
    return Type.Q4_K


def type_of(name: str, size: tuple, kind: str, shape: Shape) -> Type:
    if len(size) == 1 or "ffn_gate_inp" in name:
        return Type.F32
    return mixture_type(name, shape) if kind == "Q4_K_M" else Type[kind]


def add_keys(writer: gguf.GGUFWriter, name: str, kind: str, shape: Shape) -> None:
    head = shape.width // shape.heads
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_block_count(shape.layers)
    writer.add_context_length(4096)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.hidden)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.chosen)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_value_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType[FILE_TYPES.get(kind, f"MOSTLY_{kind}")])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def byte_characters() -> list:
    """The character that stands for each byte in byte-level BPE: printable ones for themselves, others from 256 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(hidden))]


def add_vocabulary(writer: gguf.GGUFWriter, size: int) -> None:
    text = [*byte_characters(), "Ġt"]  # one merge: readers want a list of them, and an empty list has no type
    unused = [f"<unused_{i}>" for i in range(size - 1 - len(text))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(["<|endoftext|>", *text, *unused])
    writer.add_token_types([gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * len(text)
                           + [gguf.TokenType.UNUSED] * len(unused))
    writer.add_token_merges(["Ġ t"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


# Random weights


def block_scale(kind: str, deviation: float) -> float:
    """The scale with which random blocks have this standard deviation; found by trying, always with the same blocks."""
    blocks = random_blocks(kind, np.random.default_rng(0), 4096)
    set_scales(kind, blocks, np.ones(len(blocks)))
    return deviation / float(gguf.quants.dequantize(blocks.reshape(-1), Type[kind]).std())


def set_scales(kind: str, blocks: np.ndarray, scales: np.ndarray) -> None:
    if kind == "MXFP4":  # its scale is a power of two
        blocks[:, 0] = 127 + np.rint(np.log2(np.abs(scales)))
    for offset, ratio in SCALES[kind]:
        set_half(blocks, offset, (scales * ratio).astype(np.float16).view(np.uint16))


def random_quantized(kind: str, generator: np.random.Generator, count: int, scale: float) -> np.ndarray:
    """`count` blocks as bytes. Scales vary by a fifth either way. Where nothing else gives a block its sign, the scale
    does: codes from −8 to 7 are half a step off centre, and so much in common would add up from layer to layer."""
    blocks = random_blocks(kind, generator, count)
    scales = scale * generator.uniform(0.8, 1.2, count)
    if len(SCALES[kind]) == 1:
        scales *= generator.integers(0, 2, count) * 2 - 1
    set_scales(kind, blocks, scales)
    return blocks


def random_floats(kind: Type, generator: np.random.Generator, count: int, deviation: float) -> np.ndarray:
    """Evenly spread, as the codes of blocks are."""
    values = (generator.random(count, dtype=np.float32) - np.float32(0.5)) * np.float32(deviation * 12 ** 0.5)
    if kind is Type.BF16:
        return (values.view(np.uint32) >> 16).astype("<u2")
    return values.astype("<f2" if kind is Type.F16 else "<f4")


def chunks(kind: Type, size: tuple, generator: np.random.Generator):
    """The bytes of a tensor, a part at a time. With a deviation of 1/√width a product keeps its input's size."""
    elements = int(np.prod(size))
    if len(size) == 1:
        yield np.ones(elements, dtype="<f4")
        return
    deviation = size[-1] ** -0.5
    block = gguf.GGML_QUANT_SIZES[kind][0]
    scale = block_scale(kind.name, deviation) if block > 1 else 0
    for first in range(0, elements, CHUNK):
        count = min(CHUNK, elements - first)
        if block > 1:
            yield random_quantized(kind.name, generator, count // block, scale)
        else:
            yield random_floats(kind, generator, count, deviation)


def write(path: Path, name: str, kind: str, seed: int) -> None:
    shape = SHAPES[name]
    writer = gguf.GGUFWriter(path, "llama")
    add_keys(writer, f"random-{name}-{kind}", kind, shape)
    add_vocabulary(writer, shape.vocabulary)
    tensors = {tensor: (type_of(tensor, size, kind, shape), size) for tensor, size in matrices(shape).items()}
    for tensor, (chosen, size) in tensors.items():
        elements, size_bytes = gguf.GGML_QUANT_SIZES[chosen]
        writer.add_tensor_info(tensor, size, np.dtype(np.float32), int(np.prod(size)) // elements * size_bytes, chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    # The writer would want each tensor whole.
    file = writer.fout[0]
    for number, (chosen, size) in enumerate(tensors.values()):
        writer.write_padding(file, file.tell())
        for chunk in chunks(chosen, size, np.random.default_rng([seed, number])):
            file.write(chunk.data)
    writer.write_padding(file, file.tell())
    writer.close()


def seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is no seed; a number from 0 on is expected")
    return value


def checked(output: Path) -> Path:
    """A path that a file can have: what is there may give way if it is a file too."""
    if not output.name:
        sys.exit(f"make_random_gguf: {output} is no name for a file")
    if output.exists() and not output.is_file():
        sys.exit(f"make_random_gguf: {output} is there and is no regular file, so it is not replaced; give another name")
    return output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--type", choices=TYPES, required=True, metavar="TYPE", help=", ".join(TYPES))
    parser.add_argument("--seed", type=seed, default=1, metavar="N")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    partial = checked(arguments.output).with_name(f"{arguments.output.name}.partial")
    checked(partial)
    try:
        write(partial, arguments.shape, arguments.type, arguments.seed)
        os.replace(partial, arguments.output)
    except OSError as error:
        sys.exit(f"make_random_gguf: {error}")
    finally:
        partial.unlink(missing_ok=True)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
