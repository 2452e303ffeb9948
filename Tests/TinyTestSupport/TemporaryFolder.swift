#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A new folder of its own, gone with all files in it when the last reference goes.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((parent + "/tinygpt-test-XXXXXX").utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary folder")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8]) -> String {
        let full = path + "/" + name
        guard let file = fopen(full, "wb") else { preconditionFailure("cannot write a temporary file") }
        defer { fclose(file) }
        let written = fwrite(bytes, 1, bytes.count, file)
        precondition(written == bytes.count, "a temporary file was cut short")
        return full
    }

    @discardableResult
    package func write(_ name: String, _ text: String) -> String { write(name, Array(text.utf8)) }

    /// Makes a file `size` bytes long without writing them: a hole takes no room.
    package func extend(_ name: String, to size: Int) {
        precondition(truncate(path + "/" + name, off_t(size)) == 0, "cannot extend a temporary file")
    }

    @discardableResult
    package func makeFolder(_ name: String) -> String {
        precondition(mkdir(path + "/" + name, 0o755) == 0, "cannot make a temporary folder")
        return path + "/" + name
    }

    /// Copies a file in, under its own name or another.
    package func copy(_ source: String, as name: String) { write(name, readFile(source)) }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { remove(path + "/" + name) }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// All bytes of a small file; for fixtures, so a missing one is our own mistake.
package func readFile(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { preconditionFailure("no fixture at \(path)") }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    let size = ftell(file)
    rewind(file)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = fread(buffer.baseAddress, 1, size, file)
    }
}

/// Milliseconds of processor time this thread has used: what a limit on time is held to, as others share the machine.
package func threadMilliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) * 1e-6
}
