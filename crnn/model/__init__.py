"""The network: CNN, bidirectional LSTM, linear head."""
