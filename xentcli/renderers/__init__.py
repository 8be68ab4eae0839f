"""One file an output: each turns a Report into text and knows nothing but the Report."""
