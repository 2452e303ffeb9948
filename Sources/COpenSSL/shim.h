#ifndef TINY_OPENSSL_SHIM_H
#define TINY_OPENSSL_SHIM_H

#include <openssl/evp.h>

#endif
