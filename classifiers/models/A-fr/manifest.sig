ed25519 088d5eabc217bdb1 zmIpY7H7tXGc2A5/JlAWynX/gK+zIi7etLC/r7peeTai7u01g2gwa+N02vky49l4//BVsf50RBfv5+Bu+ElcBw==
