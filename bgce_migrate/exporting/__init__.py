"""Where metrics go: a file, a gateway, whoever asks over HTTP; from the history, or from a run as it goes."""
