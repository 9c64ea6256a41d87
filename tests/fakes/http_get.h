#ifndef PRESENCE_TESTS_FAKES_HTTP_GET_H_
#define PRESENCE_TESTS_FAKES_HTTP_GET_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace presence {

// What a server on loopback answers to GET: status line, headers and body. Empty if it does not.
inline std::string HttpGet(const std::string& address, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience{.tv_sec = 30, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      std::array<char, 65536> buffer;
      ssize_t size = 0;
      while ((size = recv(fd, buffer.data(), buffer.size(), 0)) > 0) {
        answer.append(buffer.data(), static_cast<size_t>(size));
      }
    }
  }
  close(fd);
  return answer;
}

}  // namespace presence

#endif  // PRESENCE_TESTS_FAKES_HTTP_GET_H_
