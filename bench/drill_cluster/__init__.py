"""The crash drill past one machine: real servers and many workers, killed, frozen, filled up and refused."""
