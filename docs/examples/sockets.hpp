/*
 * What the C++ examples share: a descriptor that closes itself, getaddrinfo's list that frees itself,
 * errors as exceptions. No socket call hides here: those stand in the programs.
 */
#pragma once

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <netdb.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

/* Owns a descriptor. It can be moved, but not copied: two owners would close it twice. */
class Descriptor
{
      public:
	explicit Descriptor(int fd) noexcept : fd_{fd}
	{
	}
	Descriptor(Descriptor &&other) noexcept : fd_{std::exchange(other.fd_, -1)}
	{
	}
	Descriptor &operator=(Descriptor &&) = delete;
	~Descriptor()
	{
		if (fd_ >= 0)
			close(fd_);
	}
	int get() const noexcept
	{
		return fd_;
	}
	explicit operator bool() const noexcept
	{
		return fd_ >= 0;
	}

      private:
	int fd_;
};

struct FreeAddresses {
	void operator()(addrinfo *list) const noexcept
	{
		freeaddrinfo(list);
	}
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/* Either may be NULL, as for getaddrinfo. */
inline Addresses resolve(const char *host, const char *port, const addrinfo &hints)
{
	addrinfo *list = nullptr;

	if (port &&
		std::strtoul(port, nullptr, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		throw std::runtime_error{std::string{port} + " is no port: they end at 65535"};
	if (const int error = getaddrinfo(host, port, &hints, &list); error != 0)
		throw std::runtime_error{std::string{host ? host : "any address"} + " port " +
					 (port ? port : "0") + ": " + gai_strerror(error)};
	return Addresses{list};
}

/* What errno says, for std::system_error; to be asked for before anything else is called. */
inline std::error_code last_error() noexcept
{
	return {errno, std::generic_category()};
}

/* The call's result; a call that a signal interrupted is made again. */
template <typename Call> auto again(Call call)
{
	auto result = call();

	while (result < 0 && errno == EINTR)
		result = call();
	return result;
}

/* "127.0.0.1 port 7000", in numbers. */
inline std::string print(const sockaddr *address, socklen_t length)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	const int error = getnameinfo(address, length, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV);

	if (error != 0)
		throw std::runtime_error{gai_strerror(error)};
	return std::string{host} + " port " + port;
}
