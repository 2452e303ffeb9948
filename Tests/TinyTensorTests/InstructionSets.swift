import CTinyKernels
import Testing
import TinyTestSupport

@testable import TinyTensor

/// The instruction sets of this machine as test arguments, shown by name.
struct InstructionSet: Sendable, CustomTestStringConvertible {
    let kernels: CPU.Kernels
    var testDescription: String { kernels.name }

    static let all = CPU.supported.map(InstructionSet.init)
    /// Plain C: what the others are held to.
    static let plain = InstructionSet(kernels: CPU.supported[CPU.supported.count - 1])

    var table: tk_kernels { kernels.table.pointee }

    /// `[m, k]` by `[n, k]`, each row `stride` after the one before.
    func multiply(
        _ a: UnsafePointer<Float>, _ m: Int, _ b: UnsafeRawPointer, _ n: Int, _ k: Int, stride: Int? = nil,
        type: tk_type = TK_F32
    ) -> [Float] {
        [Float](unsafeUninitializedCapacity: max(1, m * n)) { buffer, count in
            table.multiply(a, stride ?? k, m, type, b, stride ?? k, n, k, buffer.baseAddress!, n)
            count = m * n
        }
    }
}

/// Half a unit in the last place of 1: the relative error of one rounding of a `Float`.
let roundoff = 0x1p-24

/// The relative error that `count` roundings can add up to, Higham 2002, section 3.1: n·u / (1 − n·u).
///
/// A sum of k products in any order, fused or not, is off by at most γ_k · Σ|a||b| ≤ γ_k · ‖a‖‖b‖.
func gamma(_ count: Int) -> Double { Double(count) * roundoff / (1 - Double(count) * roundoff) }

/// A product that falls below the normal numbers is off by half the smallest step, whatever its size.
func underflow(_ count: Int) -> Double { Double(count) * 0x1p-150 }

func norm(_ values: some Sequence<Float>) -> Double { values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }

/// The norm of each of `count` rows.
func rowNorms(_ values: [Float], _ count: Int) -> [Double] {
    let width = values.count / max(1, count)
    return (0..<count).map { norm(values[$0 * width..<($0 + 1) * width]) }
}

/// Every remainder of every vector width there is, lengths around powers of two, and two real ones.
let awkwardLengths = Array(0...70) + [127, 128, 129, 130, 255, 256, 257, 576, 1000]

@Suite struct InstructionSetTests {
    /// The table that was asked for is the one that is there, and its functions are its own.
    @Test func eachHasItsOwnKernels() throws {
        #expect(CPU.supported.last?.name == "plain")
        #expect(Set(CPU.supported.map(\.name)).isSubset(of: CPU.known))
        for set in InstructionSet.all {
            #expect(try CPU.kernels(named: set.kernels.name).table == set.kernels.table)
        }
        #if arch(x86_64)
            #expect(CPU.known == ["amx", "avx512vnni", "avx2", "plain"])
            let multiplies = Set(InstructionSet.all.map { unsafeBitCast($0.table.multiply, to: UInt.self) })
            let packed = Set(InstructionSet.all.map { unsafeBitCast($0.table.multiply_packed, to: UInt.self) })
            // Tiles come on top of AVX-512, for packed weights.
            #expect(multiplies.count == InstructionSet.all.count { $0.kernels.name != "amx" })
            #expect(packed.count == InstructionSet.all.count)
        #elseif arch(arm64)
            #expect(CPU.known == ["dotprod", "plain"])
        #endif
    }

    @Test(arguments: [nil, ""] as [String?]) func theBestIsTheDefault(_ name: String?) throws {
        #expect(try CPU.kernels(named: name).name == CPU.supported[0].name)
    }

    @Test(arguments: ["nonsense", "AVX2", "plain ", "sse9"]) func unknownNamesAreRefused(_ name: String) {
        let error = #expect(throws: CPUError.self) { try CPU.kernels(named: name) }
        #expect(error?.name == name)
        let text = error?.description ?? ""
        #expect(
            text.contains("\"\(name)\"") && text.contains("no such")
                && CPU.supported.allSatisfy { text.contains($0.name) })
    }

    /// A machine without AVX-512 cannot be had here, but its message can; scripts/test_portability emulates one.
    @Test func unsupportedNamesAreRefusedAsThat() {
        let error = CPUError(name: "avx512vnni", known: ["avx512vnni", "plain"], supported: ["plain"])
        #expect(error.description.contains("does not support it") && error.description.hasSuffix("supports plain"))
        for name in CPU.known where !CPU.supported.contains(where: { $0.name == name }) {
            #expect(throws: CPUError.self) { try CPU.kernels(named: name) }
        }
    }

    @Test func coreCountIsSensible() { #expect((1...4096).contains(CPU.coreCount)) }
}
