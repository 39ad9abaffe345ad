"""What the demo makes up is kept, and completed when it has come to need more."""

import json
from pathlib import Path

from demarc.cli.demo import secrets


def test_secrets_are_made_up_once(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    made = secrets.load(file)

    assert secrets.load(file) == made
    assert len({made.cpe_word, made.other_cpe_word, made.nas_secret}) == 3
    assert file.stat().st_mode & 0o077 == 0


def test_a_demo_from_before_there_were_cpes_gets_their_words(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    made = secrets.load(file)
    older = json.loads(file.read_text())
    del older["cpe_word"], older["other_cpe_word"]
    file.write_text(json.dumps(older))

    completed = secrets.load(file)

    assert completed.cpe_word
    assert completed.nas_secret == made.nas_secret
    assert secrets.load(file) == completed
