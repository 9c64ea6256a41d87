#!/usr/bin/env bash
# Builds the abseil of this machine's Debian, from Debian's source of that very version, with -fsanitize=thread.
#
#   cmake/abseil-for-tsan.sh PREFIX
#
# Same source, patches and options as the package: sonames and ABI agree, so that libgrpc takes these libraries as well.
# Nothing of the system's own apt is changed. What was built stays until Debian's version moves on.
set -euo pipefail

prefix=$1
version=$(dpkg-query -W -f='${Version}' libabsl-dev)
if [[ -f $prefix/version && $(<"$prefix/version") == "$version" ]]; then
  exit 0
fi

rm -rf "$prefix"
mkdir -p "$prefix/apt/sources" "$prefix/apt/lists/partial" "$prefix/apt/cache/archives/partial"
prefix=$(cd "$prefix" && pwd)

# The machine's own mirrors and keys, asked for sources instead of packages.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
  [[ -f $file ]] || continue
  sed -E 's/^(Types:[[:space:]]*)deb$/\1deb-src/; s/^deb[[:space:]]/deb-src /' "$file" >"$prefix/apt/sources/${file##*/}"
done
sources_only=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$prefix/apt/sources"
  -o "Dir::State::Lists=$prefix/apt/lists" -o "Dir::Cache=$prefix/apt/cache" -o "APT::Sandbox::User=$(id -un)")
apt-get -qq "${sources_only[@]}" update
cd "$prefix/apt"
apt-get -qq "${sources_only[@]}" source "abseil=$version"  # Checks the signatures, applies Debian's patches.

# As debian/rules says for the shared libraries, and the sanitizer.
nice cmake -S abseil-*/ -B build -G Ninja -DCMAKE_CXX_STANDARD=17 -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_CXX_FLAGS="-O1 -g1 -fsanitize=thread -fno-omit-frame-pointer" -DCMAKE_INSTALL_PREFIX="$prefix" \
  -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
nice ninja -C build -j "$(nproc)" --quiet install
cd "$prefix"
rm -rf apt
echo "$version" >version
