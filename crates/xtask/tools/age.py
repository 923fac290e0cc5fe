"""The one thing the tests ask of `age`, for machines without it: age -d -i KEYFILE [-o OUTPUT] FILE."""

import argparse
import sys

import pyrage


def identities(path):
    """Every X25519 identity of a key file; comments and blank lines are skipped, as age does."""
    with open(path, encoding="utf-8") as lines:
        keys = [line.strip() for line in lines]
    return [pyrage.x25519.Identity.from_str(key) for key in keys if key and not key.startswith("#")]


def main():
    parser = argparse.ArgumentParser(prog="age", description=__doc__)
    parser.add_argument("-d", "--decrypt", action="store_true", required=True)
    parser.add_argument("-i", "--identity", action="append", required=True)
    parser.add_argument("-o", "--output", default="-")
    parser.add_argument("file")
    options = parser.parse_args()

    keys = [key for path in options.identity for key in identities(path)]
    with open(options.file, "rb") as sealed:
        try:
            plain = pyrage.decrypt(sealed.read(), keys)
        except pyrage.DecryptError as error:
            sys.exit(f"age: {options.file}: {error}")
    if options.output == "-":
        sys.stdout.buffer.write(plain)
    else:
        with open(options.output, "wb") as target:
            target.write(plain)


main()
