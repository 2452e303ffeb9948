/// Names and addresses of machines as they stand in URLs and headers.
enum HostName {
    /// The name without its port, in lower case, brackets of an IPv6 address off; nil if it is none.
    static func name(_ authority: String) -> String? { split(authority)?.name }

    /// Name and port, the usual ports of HTTP and HTTPS left out.
    static func normalized(_ authority: String) -> String? {
        guard let (name, port) = split(authority) else { return nil }
        return port.isEmpty || port == "80" || port == "443" ? name : "\(name):\(port)"
    }

    private static func split(_ authority: String) -> (name: String, port: String)? {
        var name = authority.lowercased()[...]
        var port = ""[...]
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return nil }
            let rest = name[name.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.dropFirst()
            name = name[name.index(after: name.startIndex)..<end]
        } else if let colon = name.firstIndex(of: ":") {
            port = name[name.index(after: colon)...]
            name = name[..<colon]
        }
        guard port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), port.utf8.count <= 5 else { return nil }
        // A name with a dot at its end is the same name.
        if name.hasSuffix(".") { name = name.dropLast() }
        guard !name.isEmpty,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@\\[]".utf8.contains($0) })
        else { return nil }
        return (String(name), String(port))
    }

    /// Whether an address is this machine's own, which nobody else reaches.
    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        return host == "localhost" || host == "::1" || (host.hasPrefix("127.") && isIPv4(host))
    }

    /// Whether it means every address of this machine.
    static func isWildcard(_ host: String) -> Bool { ["0.0.0.0", "::", "*"].contains(host) }

    /// Whether this is an address, which no other site's name server can point elsewhere.
    static func isAddress(_ name: String) -> Bool {
        isIPv4(name) || (name.contains(":") && name.utf8.allSatisfy { ":.%0123456789abcdef".utf8.contains($0) })
    }

    private static func isIPv4(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.utf8.allSatisfy { 0x30...0x39 ~= $0 } && (Int(part) ?? 256) < 256
            }
    }
}
