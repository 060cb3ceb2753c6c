"""Speed and memory, each measured against something in the same run: `python -m benchmarks NAME`."""
