"""What recurrent peers share: features of rows, windows over them, an LSTM, all folds at once."""
