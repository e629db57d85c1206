"""A shipped reader of codes that learns on when seeds are added: from its 8-bit network, on a processor, in half an
hour, or with teachers in some nights.

It begins where the shipped one ended. In each epoch it reads all that is new to it, and a share of what it knows and of
the harmless posts of public corpora, so that it forgets nothing; what was held out from it stays held out
(`learnt_seeds`). A code that it did not give gets an output (`grow_outputs`). The tasks of the recipe are not learnt
again: their outputs are not shipped, and nothing asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from classifiers.encoder.codes import CodeReader, load_code_reader
from classifiers.manifest import Dataset, Manifest
from classifiers.signing import Signers
from classifiers.training.code_rows import codes_of
from classifiers.training.corpora import Corpus
from classifiers.training.encoder.bases import Base
from classifiers.training.encoder.fit import Progress, remove_checkpoints
from classifiers.training.encoder.grow import grow_outputs
from classifiers.training.encoder.network import Network
from classifiers.training.encoder.recipes import EncoderRecipe
from classifiers.training.encoder.served import check_read_back, open_served
from classifiers.training.encoder.tasks import Labelled, gather
from classifiers.training.learnt_seeds import check_record
from classifiers.training.make_code_reader import read_whole, write_code_reader
from classifiers.training.order import Order
from classifiers.training.train_encoder import judged_by_teachers, learn
from hustings.errors import ConfigError

__all__ = ["continue_code_reader"]

_COMPARED = 200
"""Texts on which what was read back must agree with what is served."""


def continue_code_reader(
    recipe: EncoderRecipe,
    former: Path,
    read: Callable[[str, str], Corpus],
    folder: Path,
    order: Order,
    *,
    checkpoint: Path,
    progress: Progress,
    signers: Signers | None = None,
    teachers_base: Base | None = None,
) -> Manifest:
    """Open the reader in the folder `former`, which one of `signers` signed (None: those whose keys are shipped), teach
    it the seeds that it does not know and the harmless posts that `read` gives by corpus and use, and write it to
    `folder`. An interrupted training goes on from `checkpoint`. Teachers, if the recipe has any, begin with
    `teachers_base`: this network has learnt what they are asked about. Raises `ConfigError` where a recipe or a
    record is of other networks than this one, `ModelError` for a folder that cannot be trusted or read back, and when
    quantising changes too much."""
    if recipe.continued is None:
        raise ConfigError(f"{recipe.name}: no recipe to train it on; give a base that transformers can open")
    reader = load_code_reader(former, signers=signers)
    wanted = codes_of(recipe.coded())
    _check(reader, wanted, former)
    own = recipe._replace(tasks=(), settings=recipe.continued)
    labelled = gather(own.tasks, read, own.speech, coded=own.coded(), harmless=own.harmless, told=own.told)
    network = _open(reader, former)
    texts = [one.text for one in labelled.said]
    check_read_back(network, reader.session, texts[:: max(1, len(texts) // _COMPARED)], str(former))
    labelled = _with_new_codes(labelled, network, texts, reader.codes, wanted)
    base = _base(reader, former)
    judged = None
    if teachers_base is not None:
        fit = recipe.settings._replace(teachers=recipe.continued.teachers)
        judged = judged_by_teachers(
            own._replace(settings=fit),
            teachers_base,
            labelled,
            seed=order.seed,
            checkpoint=checkpoint,
            progress=progress,
        )
    taught = learn(
        own,
        base,
        network,
        labelled,
        (),
        seed=order.seed,
        checkpoint=checkpoint,
        progress=progress,
        familiar=labelled.familiar,
        judged=judged,
    )
    taught = taught._replace(datasets=_with_former(taught.datasets, reader.manifest.data))
    manifest = write_code_reader(own, base, taught, read, folder, order)
    remove_checkpoints(checkpoint)
    return manifest


def _check(reader: CodeReader, wanted: Sequence[str], former: Path) -> None:
    gone = [code for code in reader.codes if code not in wanted]
    if gone:
        raise ConfigError(
            f"{former}: reads {len(reader.codes)} codes, of which the seeds no longer give {', '.join(gone)}. Train it "
            "from a base instead"
        )
    check_record(reader.network, str(former))


def _with_new_codes(
    labelled: Labelled, network: Network, texts: Sequence[str], codes: Sequence[str], wanted: Sequence[str]
) -> Labelled:
    """The same rows; those of a code that the network did not give are new to it, whatever they were called before."""
    new = [place for place, code in enumerate(wanted) if code not in codes]
    if not new or labelled.codes is None:
        return labelled
    grow_outputs(network, codes, wanted, texts, labelled.codes)
    return labelled._replace(familiar=labelled.familiar & ~np.isin(labelled.codes, new))


def _open(reader: CodeReader, former: Path) -> Network:
    network, tokenizer = read_whole(reader, former)
    return open_served(network, tokenizer, str(former))


def _base(reader: CodeReader, former: Path) -> Base:
    """What the manifest says that it was made from."""
    began_with = reader.manifest.settings.get("base_source", "a base that its manifest does not name")
    licence = str(reader.manifest.settings.get("base_licence", "see its source"))
    source = f"{reader.manifest.tag}, trained on; it was made from {began_with}"
    return Base(str(former), reader.manifest.tag, reader.network, licence, source)


def _with_former(own: Sequence[Dataset], former: Sequence[Dataset]) -> tuple[Dataset, ...]:
    """The data of the former network are data of this one too; a file that has grown stands there once, as it is."""
    now = {one.file: one.sha256 for one in own}
    kept = [one for one in former if one.use == "training" and now.get(one.file, one.sha256) == one.sha256]
    return (*(one for one in kept if one not in own), *own)
