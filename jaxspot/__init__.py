"""jaxspot finds micro- and macro-expressions in long face videos.

You can import every name from `jaxspot`: `from jaxspot import k_frame`, then `help(k_frame)`.

Labels

  read_samm_lv
    Reads SAMM-LV labels: subject (like '006'), video ('006_1'), kind, onset, apex, offset.
  read_cas_me2
    Reads CAS(ME)^2 labels: subject (like 's15'), video ('s15_0401'), kind, onset, apex, offset.
  to_span
    Converts frames `onset..offset` (from 1, inclusive) to array bounds `start, stop` (from 0).
  from_span
    Converts array bounds `start, stop` (from 0, half open) to frames `onset, offset` (from 1).
  duration_table
    Computes durations (paper Table 2) and k, half the mean duration, of each kind of expression.
  k_frame
    Computes k for each kind: half the mean duration (paper section 3.3 and Table 3).
  move_to_neutral_ratio
    Ratio of frames with movement to frames without (paper section 3.2 and Figure 3).

Video

  read_video
    Yields every frame in presentation order; memory use does not grow with the video.
  align_face
    Warps a face upright into a gray square, uint8 (size, size); black outside the image.
  open_bank
    Opens a bank: a folder with the aligned faces, or region motion, and labels of a data set.

Network

  local_contrast_normalise
    Subtracts the local mean and divides by the local standard deviation (paper eq. 1).
  augment
    Randomly changes contrast, gamma, gain and pose, in the same way for all frames.
  Augmentation
    Ranges of the random augmentation; the defaults are the paper's.
  TwoStream
    Scores a frame by comparing it with its reference frames (paper Figure 1).
  Convolution
    The paper's trunk: three depthwise separable blocks, then spatial averages (Figure 1).
  Motion
    A trunk that sees only motion: one dense layer over the grid of `local_motion`.
  Streams
    What the streams of a network compare; the defaults are the paper's.
  weighted_bce
    Weighted binary cross-entropy of every sample (paper eq. 2 with corrected signs).

Training

  loso_folds
    Makes one fold per subject; an eighth of the others (at least one) are validation subjects.
  plan_networks
    Lists the networks that a run needs; `fit` says whose scores its thresholds are fitted on.
  gather_pool
    Reads the metadata of every frame of a bank; the pixels stay on disk.
  Training
    Training settings of a fold; defaults are the paper's for CAS(ME)^2 where it states them.
  train_loso
    Trains all folds in one program, each on its own training subjects.

Spotting

  score_video
    Scores every frame of a video with one or more trained networks.
  IntervalRule
    How scores become intervals; defaults are the paper's except `cutoff_hz`, set by each run.
  ScoredVideo
    A video's raw scores, float (T, 2), and its labels (kind, onset, offset).
  fit_rule
    Fits normalisation and thresholds on scores of subjects other than the held-out one.
  apply_rule
    Finds the intervals in the scores of one video (paper section 4.1, Automated IoU Method).
  find_intervals
    Finds runs of frames whose score reaches the threshold (paper section 4.1).
  spot_videos
    Finds expressions in videos and writes OUT/<video>/ for each.
  write_review
    Writes FOLDER/review.html from what `spot_videos` wrote there; it appears only when whole.
  load_spotter
    Loads a spotter: the one that comes with jaxspot, or that of a run.
  Spotter
    The networks of all folds, used together.

Scoring

  Protocol
    How thresholds are fitted and intervals are scored; the defaults use no test labels.
  match_intervals
    Matches predictions and labels of one kind in one video if their IoU is high enough.
  score_intervals
    Precision, recall and F1 of intervals, pooled over all videos (paper Tables 5 to 7).

Synthetic data

  synthetic_bank
    Makes a frame bank of synthetic videos with exact labels; it appears in `out` when complete.
"""

from importlib import metadata

import lazy_loader

# The names live in `__init__.pyi`, where editors look for them. Each is imported when it is first
# asked for, so that the parts without jax (tables, matching, scores) load without it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

try:
    __version__ = metadata.version(__name__)
except metadata.PackageNotFoundError:  # a checkout that nobody installed
    __version__ = "0+unknown"
