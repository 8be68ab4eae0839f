"""One file an engine: run a Spec over streams of batches and return the merged StateSet, nothing else."""
