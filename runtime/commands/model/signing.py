"""`hustings model keygen` and `hustings model sign`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.commands.model.options import AsJson

__all__ = ["keygen", "sign"]


def keygen(
    out: Annotated[Path, typer.Argument(help="file of the private key; the public one gets the ending .pub")],
    as_json: AsJson = False,
) -> None:
    """Make a pair of keys to sign models with. The private one signs: keep it where no loop can read it.

    Name the public one in the configuration, above its first [table]: model_signers = ["keys/models.pub"]. A path there
    begins at the folder of the configuration.

    Example: hustings model keygen keys/models.key
    """
    import json

    from classifiers.signing import create_key
    from hustings.errors import ConfigError
    from runtime.commands.terminal import say

    if not out.name:
        raise ConfigError(f"{str(out)!r} names no file; the private key goes into one, such as keys/models.key")
    public = out.with_suffix(".pub")
    signer = create_key(out, public)
    if as_json:
        say(json.dumps({"private": str(out), "public": str(public), "key": signer.key_id}))
        return
    say(f"{out}: private key {signer.key_id}; whoever has it can sign what serves")
    say(f"{public}: public key; to trust it, write this into the configuration, above the first [table]:")
    say(f"model_signers = [{json.dumps(str(public.absolute()), ensure_ascii=False)}]")


def sign(
    folders: Annotated[list[Path], typer.Argument(help="folders of models that you trust")],
    key: Annotated[Path, typer.Option("--key", help="file of the private key")],
    as_json: AsJson = False,
) -> None:
    """Vouch for models: every file is checked against the manifest, then the manifest is signed.

    Example: hustings model sign models/G-en@VERSION --key keys/models.key
    """
    import json

    from classifiers.manifest import hash_of_manifest, manifest_bytes, read_file, read_manifest
    from classifiers.signing import ANYBODY, SIGNATURE
    from classifiers.signing import sign as signed
    from runtime.commands.terminal import say

    for folder in (one.absolute() for one in folders):  # "." has no name, and a manifest is held against its folder's
        manifest = read_manifest(folder, signers=ANYBODY)
        for file in manifest.files:
            read_file(folder, file)
        signature = signed(manifest_bytes(folder), key)
        (folder / SIGNATURE).write_bytes(signature)
        key_id = signature.split()[1].decode()
        if as_json:
            say(json.dumps({"model": manifest.tag, "manifest": hash_of_manifest(folder), "key": key_id}))
        else:
            say(f"{folder}: {manifest.tag} signed with {key_id}")
