"""The methods that results are held against: each maps a bank to scores and intervals."""

from jaxspot.baselines.by_video import Peer
from jaxspot.baselines.mdmd import mdmd_bank
from jaxspot.baselines.moilanen import moilanen_bank
from jaxspot.baselines.sp_fd import sp_fd_bank


def softnet(bank, **given):
    """`softnet_bank`; it alone needs jax, which is imported when it is called."""
    from jaxspot.baselines.softnet.folds import softnet_bank

    return softnet_bank(bank, **given)


PEERS: dict[str, Peer] = {
    "moilanen": moilanen_bank,
    "mdmd": mdmd_bank,
    "sp_fd": sp_fd_bank,
    "softnet": softnet,
}
