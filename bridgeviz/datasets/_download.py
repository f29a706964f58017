"""Downloads that are verified before they have their name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bridgeviz._checks import DataMissing, InputError


def download(path: Path, urls: Sequence[str], verify: Callable[[Path], object], *, what: str, advice: str) -> None:
    """Download a file from the first address whose contents pass; it has its name only after that.

    Args:
        path: of the file.
        urls: where it may be, in the order to try.
        verify: reads a file and raises an `InputError` if it is not the right one.
        what: the file, for errors.
        advice: what to do if no address has it.

    Raises:
        DataMissing: none of the addresses could be reached, or none has the right contents.
    """
    import pooch

    reasons = []
    draft = path.with_name(path.name + ".part")
    for url in urls:
        try:
            pooch.retrieve(url, known_hash=None, fname=draft.name, path=path.parent, progressbar=False)
            verify(draft)
            draft.rename(path)
            return
        except InputError as error:
            reasons.append(str(error))
        except Exception as error:  # requests, urllib3 and OS errors alike
            reasons.append(type(error).__name__)
        finally:
            draft.unlink(missing_ok=True)
    mirrors = "1 address" if len(urls) == 1 else f"{len(urls)} mirrors"
    raise DataMissing(f"{what} is not here and could not be downloaded from {mirrors} ({'; '.join(reasons)}). {advice}")
