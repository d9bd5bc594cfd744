"""LBCNN of Pan, Xie and Wang (FG 2020) on an ImageNet backbone, leave-one-subject-out."""
