"""The methods that results are held against: each maps a bank to scores and intervals."""

from jaxspot.evaluation.peers.by_video import Peer
from jaxspot.evaluation.peers.mdmd import mdmd_bank
from jaxspot.evaluation.peers.moilanen import moilanen_bank
from jaxspot.evaluation.peers.sp_fd import sp_fd_bank

PEERS: dict[str, Peer] = {
    "moilanen": moilanen_bank,
    "mdmd": mdmd_bank,
    "sp_fd": sp_fd_bank,
}
