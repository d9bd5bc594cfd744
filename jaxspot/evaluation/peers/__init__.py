"""The methods that results are held against: each maps a bank to scores and intervals."""

from collections.abc import Callable

from jaxspot.evaluation.peers.moilanen import moilanen_bank

PEERS: dict[str, Callable] = {"moilanen": moilanen_bank}
