# cmake -DINPUT=config.pb -DOUTPUT=config_source.cc -P embed_descriptors.cmake
# Writes the bytes of INPUT as the C++ definition that config_source.h declares.
file(READ ${INPUT} bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "// Written by embed_descriptors.cmake.
#include \"configuration/config_source.h\"

namespace presence {

extern const unsigned char kConfigSource[] = {
${bytes}};
extern const size_t kConfigSourceSize = ${size};

}  // namespace presence
")
