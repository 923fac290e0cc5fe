//! Black-box tests: the programs as people run them. Everything is in `blackbox/`.
