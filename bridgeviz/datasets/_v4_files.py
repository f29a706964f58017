"""The files of a V4 session: found or downloaded, verified by their contents, and read."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing, InputError
from bridgeviz.datasets import paths
from bridgeviz.datasets._download import download

if TYPE_CHECKING:
    from PIL.Image import Image

FOLDER = "v4"
REPOSITORY = "https://raw.githubusercontent.com/cowleygroup/V4_compact_models"
LARGEST = 64 * 2**20
"""Bytes that all pictures of a session may have; those here have 4 MB."""

ADVICE = (
    "Connect to the internet, or put responses_{session}.npy and images_{session}.zip into a folder 'v4' and set "
    "BRIDGEVIZ_DATA to its parent."
)


@dataclass(frozen=True)
class SessionFiles:
    """Where the files of a session are, and the digests of their contents.

    The digests are of contents, because the same pictures may be packed in another archive.

    Attributes:
        neurons, images: the shape of its responses.
        responses_commit, images_commit: commits of the repository that hold the files.
        responses_digest: SHA-256 of the responses as little-endian float64, row by row.
        images_digest: SHA-256 of the pictures' SHA-256 digests in the order of their names.
    """

    neurons: int
    images: int
    responses_commit: str
    images_commit: str
    responses_digest: str
    images_digest: str


SESSIONS = {
    "201025": SessionFiles(
        neurons=89,
        images=1200,
        responses_commit="d1b3526933e6bad537140a53b54abe797588f23b",
        images_commit="af82f72c64315676b33fd5d416e06efdbd4028de",
        responses_digest="9aee80dfb509cd8a3fb985ce0d2eac72f0bc669cb90e1938b6c51efab4a7af9e",
        images_digest="19542e78be9754f4c6aea8c017d128cb7b188c2f5ad7a9facf7b3f43a5811a27",
    ),
    "190925": SessionFiles(
        neurons=36,
        images=1200,
        responses_commit="d1b3526933e6bad537140a53b54abe797588f23b",
        images_commit="f6cbd03109489bef1bbbb5aaeef4f74d22d0dd7b",
        responses_digest="6e7fef8c816047171f94914789ad37eb485d7f4db9f23555f7da00cea63859b5",
        images_digest="50f2848c487a932f11ecd7623e13bbdf0552cfde1183569c3b3f253fd513033a",
    ),
}
"""The sessions whose digests are known."""


def folder(session: str) -> Path:
    """The first folder that holds the responses and the pictures of a session.

    Raises:
        DataMissing: none does.
    """
    names = (f"responses_{session}.npy", f"images_{session}.zip")
    for home in paths.raw(FOLDER):
        if all((home / name).is_file() for name in names):
            return home
    raise DataMissing(f"Session {session} of v4-cowley is not here. Run `bridgeviz fetch v4-cowley`.")


def fetch(session: str) -> Path:
    """The folder of a session's responses and pictures, verified; downloaded if they are not on this machine.

    Raises:
        DataMissing: the repository could not be reached.
        InputError: a file has other contents than expected.
    """
    about = SESSIONS[session]
    try:
        home = folder(session)
    except DataMissing:
        home = paths.cache() / FOLDER
    wanted = {
        f"responses_{session}.npy": (
            f"{about.responses_commit}/data_V4_responses/responses_repeat_averaged/responses_{session}.npy",
            lambda path: verified_responses(path, session),
        ),
        f"images_{session}.zip": (
            f"{about.images_commit}/data_V4_responses/images/images_{session}.zip",
            lambda path: verified_images(path, session),
        ),
    }
    for name, (address, verify) in wanted.items():
        if not (home / name).is_file():
            home.mkdir(parents=True, exist_ok=True)
            advice = ADVICE.format(session=session)
            download(home / name, [f"{REPOSITORY}/{address}"], verify, what=f"{name} of v4-cowley", advice=advice)
        verify(home / name)
    return home


def responses(home: Path, session: str) -> np.ndarray:
    """(images, neurons) spikes per 100 ms, averaged over repetitions, in the order of the pictures' names."""
    about = SESSIONS[session]
    array = _array(home / f"responses_{session}.npy")
    if array.shape != (about.neurons, about.images) or not np.isfinite(array).all():
        raise _damaged(home / f"responses_{session}.npy", f"it holds {check.describe(array)}")
    return array.T


def repetitions(home: Path, session: str) -> np.ndarray:
    """(images, neurons, repetitions) spikes per 100 ms; NaN where a picture was shown less often.

    Raises:
        DataMissing: the file is not here. `fetch` does not download it, because its digest is not known.
        InputError: its averages are not the responses of the session.
    """
    path = home / f"responses_raw_{session}.npy"
    if not path.is_file():
        raise DataMissing(
            f"The single repetitions of session {session} are not here. Copy "
            f"data_V4_responses/responses_raw/responses_{session}.npy of the repository to {path}."
        )
    array, about = _array(path), SESSIONS[session]
    if array.ndim != 3 or array.shape[:2] != (about.neurons, about.images):
        raise _damaged(path, f"it holds {check.describe(array)}")
    if not np.allclose(np.nanmean(array, axis=2).T, responses(home, session), atol=1e-6):
        raise _damaged(path, "its averages are not the responses of the session")
    return array.transpose(1, 0, 2)


def picture_names(home: Path, session: str) -> list[str]:
    """The names of the pictures in the order of the responses: sorted by basename, wherever they lie in the archive."""
    with _archive(home / f"images_{session}.zip") as archive:
        return [PurePosixPath(member.filename).name for member in _pictures(archive)]


def colour_pictures(home: Path, session: str, rows: Sequence[int]) -> list[Image]:
    """Pictures of some rows, RGB."""
    from PIL import Image

    path = home / f"images_{session}.zip"
    with _archive(path) as archive:
        members = _pictures(archive)
        try:
            return [Image.open(io.BytesIO(archive.read(members[row]))).convert("RGB") for row in rows]
        except (OSError, zlib.error, zipfile.BadZipFile) as error:
            raise _damaged(path, check.reason(error)) from error


def pictures(home: Path, session: str, rows: Sequence[int]) -> np.ndarray:
    """(k, height, width) grey pictures of some rows in 0..255."""
    grey = [picture.convert("L") for picture in colour_pictures(home, session, rows)]
    size = grey[0].size
    return np.stack([np.asarray(one if one.size == size else one.resize(size)) for one in grey])


def features_name(network: str, session: str) -> str:
    """The file with the features of a network; those of MobileNetV2, which has no name here, are the default."""
    return f"{network or 'features'}_{session}.npz"


def verified_responses(path: Path, session: str) -> None:
    """Raise an `InputError` unless a file holds the responses of a session."""
    array = _array(path)
    content = np.ascontiguousarray(array, "<f8").tobytes()
    _compare(path, hashlib.sha256(content).hexdigest(), SESSIONS[session].responses_digest)


def verified_images(path: Path, session: str) -> None:
    """Raise an `InputError` unless an archive holds the pictures of a session."""
    digest = hashlib.sha256()
    with _archive(path) as archive:
        try:
            for member in _pictures(archive):
                digest.update(hashlib.sha256(archive.read(member)).digest())
        except (OSError, zlib.error, zipfile.BadZipFile) as error:
            raise _damaged(path, check.reason(error)) from error
    _compare(path, digest.hexdigest(), SESSIONS[session].images_digest)


def _pictures(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = [m for m in archive.infolist() if m.filename.endswith(".jpg") and "__MACOSX" not in m.filename]
    if sum(member.file_size for member in members) > LARGEST:
        raise _damaged(Path(archive.filename or "the archive"), "its pictures would take too much memory")
    return sorted(members, key=lambda member: PurePosixPath(member.filename).name)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise _damaged(path, check.reason(error)) from error


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, check.reason(error)) from error


def _compare(path: Path, digest: str, expected: str) -> None:
    if digest != expected:
        raise InputError(
            f"The contents of {path} must have the SHA-256 {expected}. Got {digest} instead. Delete it and run "
            "`bridgeviz fetch v4-cowley`."
        )


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f"{path} can't be read ({why}): delete it and run `bridgeviz fetch v4-cowley`.")
