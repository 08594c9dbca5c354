"""What a process that reads foreign files may take: of time, and of memory besides what its libraries do."""

SECONDS, SECONDS_A_MB = 60, 2
MEMORY_BYTES, MEMORY_A_BYTE = 1 << 30, 40


def seconds(size):
    """How long files of `size` bytes in all may take to read."""
    return SECONDS + SECONDS_A_MB * size / 1e6


def limit_memory(size):
    """Lets this process reserve no more memory than files of `size` bytes need; Windows knows no such limit."""
    try:
        import resource
    except ImportError:
        return
    try:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    limit = used + MEMORY_BYTES + MEMORY_A_BYTE * size
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
