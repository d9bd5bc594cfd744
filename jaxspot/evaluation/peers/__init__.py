"""The methods that results are held against: each maps a bank to scores and intervals."""

from jaxspot.evaluation.peers.by_video import Peer
from jaxspot.evaluation.peers.mdmd import mdmd_bank
from jaxspot.evaluation.peers.moilanen import moilanen_bank
from jaxspot.evaluation.peers.sp_fd import sp_fd_bank


def softnet(bank, **given):
    """`softnet_bank`; it alone needs jax, which is imported when it is called."""
    from jaxspot.evaluation.peers.softnet import softnet_bank

    return softnet_bank(bank, **given)


PEERS: dict[str, Peer] = {
    "moilanen": moilanen_bank,
    "mdmd": mdmd_bank,
    "sp_fd": sp_fd_bank,
    "softnet": softnet,
}
