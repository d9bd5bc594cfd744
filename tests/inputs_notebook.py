"""Calls in a notebook: right, or refused in one sentence."""

from input_case import Case

BYTES = "(255 * np.random.default_rng(0).random((24, 40))).astype(np.uint8)"
LABELS = "pd.DataFrame([dict(video='a', kind='{}', onset={}, offset={})])"


def right(what, code, says):
    return Case(what, f"python {code}", says=says, code=0)


def refused(what, code, says):
    return Case(what, f"python {code}", says=says, code=1)


CASES = [
    right("LCN of bytes", f"bool(abs(local_contrast_normalise({BYTES}) - local_contrast_normalise"
          f"({BYTES} / 255.0)).max() < 1e-4)", "True"),
    refused("LCN of whole numbers", "local_contrast_normalise(np.zeros((24, 24), np.int32))",
            "TypeError: images must be uint8 or float in the range 0..1, not int32"),
    refused("LCN of a list of numbers", "local_contrast_normalise(np.zeros(30))",
            r"\(..., height, width\), not "),
    refused("pooling `avg`", "Convolution(pooling='avg')", "Did you mean 'average'"),
    refused("trunk `motoin`", "TwoStream(trunk='motoin')", "trunk must be a Convolution, Motion"),
    refused("optimiser `rmsprop`", "Training(optimiser='rmsprop')", "optimiser must be one of"),
    refused("kinds `micro` and `macro`", "k_frame({'micro': [9], 'macro': [40]})",
            "kind must be one of ME, MaE, not 'micro'"),
    refused("kind `Mae`", "k_frame({'ME': [9], 'Mae': [40]})", "Did you mean 'MaE'"),
    refused("kind `micro` in a table", f"k_frame({LABELS.format('micro', 5, 9)})",
            "kind must be ME or MaE"),
    refused("a bank's path for the bank", "train_loso('bank', loso_folds(['a', 'b', 'c']), "
            "model=TwoStream(), training=Training())", r"`open_bank\(path\)`, .* not str"),
    refused("a text for a list of subjects", "loso_folds('abc')", "TypeError: subjects must be"),
    refused("folds of two subjects", "loso_folds(['a', 'b', 'a'])", "at least 3 subjects"),
    refused("a film's name for its frames", "score_video(TwoStream(), {'params': {'w': "
            "np.zeros((1, 4))}}, 'film.mp4', skips=[[2, 3]])",
            "frames must be an array of uint8, 0..255, not str"),
    refused("frames of 113 pixels", "score_video(TwoStream(), {'params': {'w': np.zeros((1, 4))}}, "
            "np.zeros((6, 113, 113), np.uint8), skips=[[2, 3]])",
            "113x113 pixels; height and width must be multiples of 4"),
    refused("channels last", "score_video(TwoStream(), {'params': {'w': np.zeros((1, 4))}}, "
            "np.zeros((6, 112, 112, 3), np.uint8), skips=[[2, 3]])", r"not \(6, 112, 112, 3\)"),
    right("spans counted as they are matched", "match_intervals(np.column_stack(from_span(*"
          "find_intervals([1, 1, 1, 0, 0], threshold=0.5).T)), [[1, 3]], iou=1).truth.tolist()",
          r"\[0\]"),
    refused("spans that count from 0", "match_intervals([[0, 5]], [[1, 5]])",
            "onset is before frame 1"),
    refused("a label that ends before it begins",
            f"k_frame({LABELS.format('ME', 9, 5)})", "offset is before onset"),
    refused("a video that is not there", "list(read_video('none.mp4'))",
            "UserError: none.mp4: no such video file"),
]  # fmt: skip
