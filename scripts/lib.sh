# Shell functions of quickstart, test and the checks; read with `source`, not run. Works with bash 3.2, which macOS has.
# Messages go to standard error, so that standard output stays free for what a script is asked for.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
self=$(basename "$0")

say() { printf '%s: %s\n' "$self" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# Swift, new enough for the package's manifest.
ensure_swift() {
    local get="https://www.swift.org/install has it for Linux and macOS"
    command -v swift >/dev/null || die "Swift 6.2 or newer is needed, and there is none; $get"
    swift_version=$(swift --version 2>/dev/null) || die "'swift --version' fails; $get"
    local number="${swift_version#*Swift version }"
    local major="${number%%.*}" minor="${number#*.}"
    minor="${minor%%[!0-9]*}"
    case "$major.$minor" in
        *[!0-9.]* | .* | *.) die "'swift --version' says no version: $swift_version" ;;
    esac
    if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
        die "Swift 6.2 or newer is needed, found $major.$minor; $get"
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages NAME...: with apt-get where there is one; otherwise says what to do.
install_packages() {
    local commands="apt-get update && apt-get install $*"
    if ! command -v apt-get >/dev/null; then
        die "missing: what Debian calls $*. This script can install with apt-get only; please install these yourself."
    elif [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        die "missing: $*. There is no sudo here; run this as root: $commands"
    fi
    say "installing $*"
    # The list is brought up to date first: a fresh machine or container often has none.
    { as_root apt-get update -q &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >&2 ||
        die "apt-get could not install $*; its own message is above. By hand, as root: $commands"
}

# Homebrew keeps its openblas out of the default paths; SwiftPM looks there by itself, so this does too.
has_openblas() {
    command -v pkg-config >/dev/null || return 1
    pkg-config --exists openblas && return 0
    command -v brew >/dev/null && [ -e "$(brew --prefix openblas 2>/dev/null)/lib/pkgconfig/openblas.pc" ]
}

# Apple's systems have CryptoKit instead.
has_libcrypto() { [ "$(uname)" = Darwin ] || pkg-config --exists libcrypto 2>/dev/null; }
# macOS has it.
has_libedit() { [ "$(uname)" = Darwin ] || pkg-config --exists libedit 2>/dev/null; }
# For the trait Retrieval; macOS has it.
has_sqlite() { [ "$(uname)" = Darwin ] || pkg-config --exists sqlite3; }

has_python() { command -v python3 >/dev/null && python3 -c 'import venv, ensurepip' 2>/dev/null; }

# All that building needs, and Python with what makes environments, which fetching and testing need.
ensure_packages() {
    local missing=()
    command -v git >/dev/null || missing+=(git)
    command -v pkg-config >/dev/null || missing+=(pkg-config)
    has_openblas || missing+=(libopenblas-dev)
    has_libcrypto || missing+=(libssl-dev)
    has_libedit || missing+=(libedit-dev)
    has_sqlite || missing+=(libsqlite3-dev)
    command -v python3 >/dev/null || missing+=(python3)
    has_python || missing+=(python3-venv)
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(uname)" = Darwin ]; then
        die "missing: ${missing[*]}. With Homebrew: brew install openblas pkg-config python3"
    fi
    install_packages "${missing[@]}"
    has_openblas || die "pkg-config still finds no openblas after installing libopenblas-dev; is PKG_CONFIG_PATH set?"
    has_libcrypto || die "pkg-config still finds no libcrypto after installing libssl-dev; is PKG_CONFIG_PATH set?"
    has_libedit || die "pkg-config still finds no libedit after installing libedit-dev; is PKG_CONFIG_PATH set?"
    has_python || die "$(command -v python3) still cannot make environments (no venv or ensurepip); is it Debian's own?"
}

# For counting instructions; macOS has none, and nothing is counted there.
ensure_valgrind() {
    [ "$(uname)" = Darwin ] || command -v valgrind >/dev/null || install_packages valgrind
}

# A terminal to look at, for checks of `tinygpt chat`.
ensure_tmux() {
    command -v tmux >/dev/null && return
    if [ "$(uname)" = Darwin ]; then die "missing: tmux. With Homebrew: brew install tmux"; fi
    install_packages tmux
}
