"""How heads.npz is built, offline: nothing here is needed to make videos."""
