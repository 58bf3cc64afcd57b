"""Running a built image: runners, the line to them, and streaming a data set through one."""
