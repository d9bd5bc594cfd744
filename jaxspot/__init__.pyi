# What `from jaxspot import ...` finds, and where it lives; `lazy_loader` reads it too.

from .annotations.durations import duration_table as duration_table
from .annotations.durations import k_frame as k_frame
from .annotations.durations import move_to_neutral_ratio as move_to_neutral_ratio
from .annotations.intervals import from_span as from_span
from .annotations.intervals import to_span as to_span
from .annotations.labels import read_cas_me2 as read_cas_me2
from .annotations.labels import read_samm_lv as read_samm_lv
from .evaluation.f1 import score_intervals as score_intervals
from .evaluation.fitting import ScoredVideo as ScoredVideo
from .evaluation.fitting import fit_rule as fit_rule
from .evaluation.matching import match_intervals as match_intervals
from .evaluation.protocol import Protocol as Protocol
from .network.augment import Augmentation as Augmentation
from .network.augment import augment as augment
from .network.convolution import Convolution as Convolution
from .network.lcn import local_contrast_normalise as local_contrast_normalise
from .network.loss import weighted_bce as weighted_bce
from .network.model import TwoStream as TwoStream
from .network.motion import Motion as Motion
from .network.streams import Streams as Streams
from .own_video.videos import spot_videos as spot_videos
from .review.page import write_review as write_review
from .spotting.automated_iou import IntervalRule as IntervalRule
from .spotting.automated_iou import apply_rule as apply_rule
from .spotting.intervals import find_intervals as find_intervals
from .spotting.saved_spotter import load_spotter as load_spotter
from .spotting.scoring import score_video as score_video
from .spotting.spotter import Spotter as Spotter
from .synthetic.generate import synthetic_bank as synthetic_bank
from .training.folds import loso_folds as loso_folds
from .training.inner_folds import plan_networks as plan_networks
from .training.loso import train_loso as train_loso
from .training.pool import gather_pool as gather_pool
from .training.step import Training as Training
from .video.align import align_face as align_face
from .video.bank import open_bank as open_bank
from .video.decode import read_video as read_video

__version__: str
__all__: list[str]
