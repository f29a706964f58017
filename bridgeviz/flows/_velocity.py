"""The options of a velocity field, as an object that builds its network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bridgeviz._options import Options

if TYPE_CHECKING:
    from flax import nnx
    from jax.typing import DTypeLike

    from bridgeviz.flows._field import VelocityField


@dataclass(frozen=True, kw_only=True)
class VelocityOptions(Options, ABC):
    """Base class of the velocity fields v_t(z | x).

    A subclass is a frozen dataclass with a `name`, its options as fields, and `make`. Pass an object of it to
    `FlowConfig(velocity=...)`, or register it in `VELOCITIES` to select it by name.
    """

    @abstractmethod
    def make(self, p: int, q: int, *, dtype: DTypeLike | None = None, rngs: nnx.Rngs) -> VelocityField:
        """Build the network.

        Args:
            p: dimensions of the source.
            q: dimensions of the target, and of the noise.
            dtype: of the arithmetic; None takes the type of the inputs. Parameters are float32 either way.
            rngs: random keys for the initial parameters.
        """

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: the kind and its options."""
        return {"kind": self.name, **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> VelocityOptions:
        """The object that `as_dict` described.

        Raises:
            ValueError: no class of that kind has been imported.
        """
        options = dict(values)
        kind = options.pop("kind")
        kinds = {known.name: known for known in _subclasses(cls)}
        if kind not in kinds:
            raise ValueError(f"a velocity field of the unknown kind '{kind}': import its class first")
        return kinds[kind](**options)


def _subclasses(cls: type[VelocityOptions]) -> Iterator[type[VelocityOptions]]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)
