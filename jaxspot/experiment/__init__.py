"""The main job: from a config to a folder of scores, tables, figures and weights."""
