import CLimits

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// One program for all targets: the environment's TINYGPT_FUZZ says which, all arguments are libFuzzer's.

public typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ run: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

nonisolated(unsafe) private(set) var target: any Target.Type = JSONTarget.self

/// Whether the errors that inputs end in are to be seen.
private let isTelling = getenv("TINYGPT_FUZZ_TELL") != nil

/// libFuzzer's archive wants this symbol, whoever calls the driver.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Input(Array(UnsafeBufferPointer(start: bytes, count: count)))
    limits_begin()
    // An error is the expected end of nearly every input; what must not happen ends the process.
    do {
        try target.run(input)
        limits_end(1)
    } catch {
        let text = "\(error)"
        precondition(!text.isEmpty, "an error that says nothing")
        limits_end(0)
        if isTelling { print(text) }
    }
    return 0
}

/// The program's entry; the linker is told so.
@_cdecl("fuzz_main")
public func main(_ count: CInt, _ arguments: Arguments) -> CInt {
    let name = getenv("TINYGPT_FUZZ").map { String(cString: $0) } ?? ""
    guard let chosen = targets[name] else {
        print("TINYGPT_FUZZ is \"\(name)\"; one of these is expected: \(targets.keys.sorted().joined(separator: " "))")
        return 64
    }
    target = chosen
    // Sanitizers make work some three times slower: a second without them.
    limits_start(256, getenv("TINYGPT_FUZZ_SECONDS").flatMap { Double(String(cString: $0)) } ?? 3)
    var (count, arguments) = (count, arguments)
    return runFuzzer(&count, &arguments) { testOneInput($0, $1) }
}
