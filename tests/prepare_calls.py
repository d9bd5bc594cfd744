"""A tiny source as tables, and calls of the command on any source."""

from release_trees import head, write_images

from jaxspot.commands import prepare

CSV = "subject,video,path,fps\n"
LABELS = "subject,video,kind,onset,apex,offset\n"


def csv_tree(root):
    """A source of one short video as folder and tables; gives back its folder."""
    write_images(root / "v", head(0)[:4], "{}.png".format)
    (root / "videos.csv").write_text(f"{CSV}p,v,v,30\n")
    (root / "annotations.csv").write_text(f"{LABELS}p,v,ME,1,2,3\n")
    return root


def call(dataset, source, out, *flags):
    """Runs prepare in this process; returns its exit code."""
    words = [f"--dataset={dataset}", f"--source={source}", f"--out={out}", "--workers=1"]
    return prepare.main([*words, *flags])


def add(table, row):
    """Adds a row to a table."""
    with open(table, "a") as file:
        file.write(row + "\n")
