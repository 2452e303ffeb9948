// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that whoever uses the library neither builds nor sees any of this.
let kernels: Target.Dependency = .product(name: "_TinyKernels", package: "tinygpt")

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "tinygpt", path: "..")],
    targets: [
        .target(name: "CBenchmark", dependencies: [kernels], cSettings: [.unsafeFlags(["-O3"])]),
        .executableTarget(name: "kernels", dependencies: ["CBenchmark", kernels]),
        // In C, so that little but kernels runs; unlike Swift programs it does not get the mathematics library by itself.
        .executableTarget(
            name: "counted", dependencies: ["CBenchmark", kernels], linkerSettings: [.linkedLibrary("m")]),
        // Shares nothing with the rest, as it is what the rest is compared with.
        .executableTarget(name: "stream", cSettings: [.unsafeFlags(["-O3"])]),
    ]
)
